import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { MEMORY_FLAGS } from './memory-bound.ts'

const MODULE = pathToFileURL(join(import.meta.dirname, 'memory-bound.ts')).href
const PROGRAM = join(mkdtempSync(join(tmpdir(), 'kakehashi-bound-')), 'program.mjs')
writeFileSync(
  PROGRAM,
  `const { boundMemory } = await import('${MODULE}'); boundMemory(['run'])
  console.log(JSON.stringify({ pid: process.pid, options: process.execArgv, young: process.env.YOUNG }))`,
)

interface Said {
  pid: number
  options: string[]
  young: string
}

function started(options: readonly string[], command: string): Said & { itself: number | undefined } {
  const { stdout, pid } = spawnSync(process.execPath, [...options, PROGRAM, command], {
    env: { ...process.env, NODE_OPTIONS: '', YOUNG: 'kept' },
    encoding: 'utf8',
  })
  return { ...(JSON.parse(stdout) as Said), itself: pid }
}

test.skipIf(process.platform === 'win32')('a plain start bounds its memory, in the same process', () => {
  const plain = started([], 'run')
  expect(plain.options).toEqual(MEMORY_FLAGS)
  expect(plain.pid).toBe(plain.itself)
  expect(plain.young).toBe('kept')
})

test('whoever gave a bound keeps it', () => {
  expect(started(['--max-semi-space-size=16'], 'run').options).toEqual(['--max-semi-space-size=16'])
})

test('a command that ends soon starts once', () => {
  expect(started([], 'status').options).toEqual([])
})
