import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { fromBase64, keyIdOf, toBase64 } from '@kakehashi/protocol/signing'

/** An Ed25519 or X25519 pair; the same three fields. */
export interface Pair {
  id: ReturnType<typeof keyIdOf>
  public: Uint8Array
  secret: Uint8Array
}

export class KeyFileBad extends Error {
  override name = 'KeyFileBad'
}

export function writePair(path: string, pair: Pair): void {
  writeSecretFile(path, JSON.stringify({ public: toBase64(pair.public), secret: toBase64(pair.secret) }))
}

export function readPair(path: string): Pair {
  try {
    const { public: open, secret } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
    const bytes = fromBase64(open ?? '')
    if (bytes.length === 32 && secret)
      return { id: keyIdOf(bytes), public: bytes, secret: fromBase64(secret) }
  } catch {
    throw new KeyFileBad(`鍵ファイルが読めません: ${path}`)
  }
  throw new KeyFileBad(`鍵ファイルの形式が正しくありません: ${path}`)
}

export function writeSecret(path: string, secret: Uint8Array): void {
  writeSecretFile(path, toBase64(secret))
}

export function readSecret(path: string): Uint8Array {
  const bytes = existsSync(path) ? fromBase64(readFileSync(path, 'utf8').trim()) : new Uint8Array(0)
  if (bytes.length !== 32) throw new KeyFileBad(`鍵ファイルが読めません: ${path}`)
  return bytes
}

/** Readable by the owner alone, never overwritten. */
export function writeSecretFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(path, 0o600)
}

/** True when others than the owner may read the file. */
export function isExposed(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
}

/** As far as a file system lets: the old bytes are overwritten before the name goes. */
export function destroyFile(path: string): void {
  overwrite(path)
  rmSync(path)
}

function overwrite(path: string): void {
  const { size } = statSync(path)
  const file = openSync(path, 'r+')
  try {
    writeSync(file, new Uint8Array(size))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
