import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Names, forms and durable writing of C2SP tlog-tiles files: 256 hashes a tile, 256 leaves an entry bundle. */
export const TILE_WIDTH = 256
export const LEAF_BYTES_MAX = 0xffff
const HASH_BYTES = 32

export type TileLevel = number | 'entries'

/** `tile/<level>/<index>`, the index in groups of three digits, with `.p/<width>` for a partial tile. */
export function tilePath(level: TileLevel, index: number, width = TILE_WIDTH): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/.{3}/g) ?? []
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${name}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** Leaves one after another, each behind its length in two bytes. */
export function entryBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const parts = leaves.flatMap((leaf) => {
    if (leaf.length > LEAF_BYTES_MAX) throw new RangeError('leaf too long')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(leaf.length)
    return [length, leaf]
  })
  return Buffer.concat(parts)
}

/** `null` when the bytes are not exactly that many leaves. */
export function readEntryBundle(bytes: Uint8Array, count: number): Uint8Array[] | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const leaves: Uint8Array[] = []
  let at = 0
  while (leaves.length < count) {
    if (at + 2 > view.length) return null
    const end = at + 2 + view.readUInt16BE(at)
    if (end > view.length) return null
    leaves.push(view.subarray(at + 2, end))
    at = end
  }
  return at === view.length ? leaves : null
}

export function readHashTile(bytes: Uint8Array, count: number): Uint8Array[] | null {
  if (bytes.length !== count * HASH_BYTES) return null
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
}

/** The file's bytes, or `null` when there is no such file. */
export function readIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** All or nothing, and on the disk when it returns: temporary file, fsync, rename, fsync of the folder. */
export function writeDurably(path: string, bytes: Uint8Array | string): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}.tmp`
  const file = openSync(temporary, 'w', 0o600)
  try {
    const all = Buffer.from(bytes as Uint8Array)
    for (let at = 0; at < all.length;) at += writeSync(file, all, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncFolder(folder)
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Drops the partial forms of a tile that is complete now. */
export function dropPartials(dir: string, level: TileLevel, index: number): void {
  rmSync(join(dir, `${tilePath(level, index)}.p`), { recursive: true, force: true })
}
