import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { destroyFile } from '../key-files.ts'
import type { SaidList, SaidOfStop } from './said-list.ts'

/** One file for each stop, readable by the owner alone, synced before the stop it tells of. */
export function saidFolder(folder: string): SaidList {
  const pathOf = (stop: string): string => join(folder, `${sha256Hex(stop).slice(0, 32)}.json`)
  return {
    keep(stop, said) {
      // never written over: the words of a stop do not change, and a crash would tear what was promised
      if (this.read(stop) !== null) return
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const file = openSync(pathOf(stop), 'w', 0o600)
      try {
        writeSync(file, JSON.stringify(said))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
    },
    read(stop) {
      try {
        return JSON.parse(readFileSync(pathOf(stop), 'utf8')) as SaidOfStop
      } catch {
        // torn: the stop it was to tell of was never promised
        return null
      }
    },
    forget(stop) {
      if (existsSync(pathOf(stop))) destroyFile(pathOf(stop))
    },
  }
}
