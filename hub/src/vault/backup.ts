import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Env } from '@kakehashi/protocol/env'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { storeKeyFrom } from '../content/keys.ts'
import { readSecret } from '../key-files.ts'

export class BackupBad extends Error {
  override name = 'BackupBad'
}

/** Relative to the hub's folder. Keys and the lists of erasures and stops are never part of a backup. */
const DATABASES = [
  'vault/ops.sqlite',
  'vault/identity.sqlite',
  'gateway/gateway.sqlite',
  'portal/portal.sqlite',
]
const CONTENT = 'vault/content'
const MANIFEST = 'backup.json'

export interface BackupManifest {
  version: 1
  takenAt: number
  /** The store key its content keys are wrapped with: another one cannot open them. */
  storeKey?: string
  files: { name: string; bytes: number; sha256: string }[]
}

/** Copies each database as of one moment, then the sealed content files; safe while the hub runs. */
export function takeBackup(dir: string, to: string, env: Env): BackupManifest {
  if (existsSync(join(to, MANIFEST))) throw new BackupBad(`この場所にはすでにバックアップがあります: ${to}`)
  const names: string[] = []
  for (const name of DATABASES) {
    const from = join(dir, name)
    if (!existsSync(from)) continue
    mkdirSync(join(to, name, '..'), { recursive: true, mode: 0o700 })
    const db = new DatabaseSync(from, { readOnly: true })
    db.prepare('VACUUM INTO ?').run(join(to, name))
    db.close()
    names.push(name)
  }
  if (names.length === 0)
    throw new BackupBad(
      '写すデータベースがありません。PostgreSQLをお使いのときは pg_dump を併用してください。',
    )
  names.push(...copyFolder(dir, to, CONTENT))
  const manifest: BackupManifest = {
    version: 1,
    takenAt: env.now(),
    ...storeKeyIn(dir),
    files: names.map((name) => {
      const bytes = readFileSync(join(to, name))
      return { name, bytes: bytes.length, sha256: sha256Hex(bytes) }
    }),
  }
  writeFileSync(join(to, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  return manifest
}

function copyFolder(from: string, to: string, name: string): string[] {
  if (!existsSync(join(from, name))) return []
  mkdirSync(join(to, name), { recursive: true, mode: 0o700 })
  return readdirSync(join(from, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(from.length + 1)
      mkdirSync(join(to, path, '..'), { recursive: true, mode: 0o700 })
      copyFileSync(join(from, path), join(to, path))
      return path
    })
}

/** Puts the files of a backup in place of the present ones. The zones must be down; erasures are replayed at start. */
export function restoreBackup(from: string, dir: string): BackupManifest {
  const manifest = readManifest(from)
  for (const { name, sha256 } of manifest.files)
    if (sha256Hex(readFileSync(join(from, name))) !== sha256)
      throw new BackupBad(`バックアップのファイルが壊れています: ${name}`)
  const { storeKey } = storeKeyIn(dir)
  if (manifest.storeKey !== undefined && storeKey !== undefined && manifest.storeKey !== storeKey)
    throw new BackupBad(
      `このバックアップは今の保管の鍵では開けません。\n鍵の更新（hub rotate-keys）より前に取ったもので、鍵はもうありません。更新の後に取ったバックアップを使ってください: ${from}`,
    )
  rmSync(join(dir, CONTENT), { recursive: true, force: true })
  for (const { name } of manifest.files) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(dir, `${name}${suffix}`), { force: true })
    mkdirSync(join(dir, name, '..'), { recursive: true, mode: 0o700 })
    copyFileSync(join(from, name), join(dir, name))
  }
  return manifest
}

function storeKeyIn(dir: string): { storeKey?: string } {
  const path = join(dir, 'vault', 'keys', 'store.key')
  return existsSync(path) ? { storeKey: storeKeyFrom(readSecret(path)).id } : {}
}

function readManifest(from: string): BackupManifest {
  try {
    const manifest = JSON.parse(readFileSync(join(from, MANIFEST), 'utf8')) as BackupManifest
    const safe = manifest.files.every(({ name }) => !name.includes('..') && !name.startsWith('/'))
    if (manifest.version === 1 && safe) return manifest
  } catch {
    throw new BackupBad(`バックアップの目録が読めません: ${from}`)
  }
  throw new BackupBad(`バックアップの目録の形式が正しくありません: ${from}`)
}
