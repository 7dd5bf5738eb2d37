import { crc32, inflateRawSync } from 'node:zlib'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Opened } from './verify.ts'

const FILE_BYTES_MAX = 1024 * 1024 * 1024
const FILES_MAX = 100_000

/** A ZIP as `zip.ts` writes them. Anything else is refused whole. */
export function openZip(bytes: Uint8Array): Opened {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0 || end + 22 > zip.length) throw malformed()
  const count = zip.readUInt16LE(end + 10)
  if (count > FILES_MAX) throw malformed()
  const files = new Map<string, () => Uint8Array>()
  let at = zip.readUInt32LE(end + 16)
  for (let i = 0; i < count; i++) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== 0x02014b50) throw malformed()
    const name = zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28))
    const entry = {
      method: zip.readUInt16LE(at + 10),
      crc: zip.readUInt32LE(at + 16),
      packed: zip.readUInt32LE(at + 20),
      plain: zip.readUInt32LE(at + 24),
      offset: zip.readUInt32LE(at + 42),
    }
    files.set(name, () => contentOf(zip, entry))
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return {
    paths: () => [...files.keys()],
    read: (path) => files.get(path)?.() ?? new Uint8Array(),
  }
}

function contentOf(
  zip: Buffer,
  entry: { method: number; crc: number; packed: number; plain: number; offset: number },
): Uint8Array {
  if (entry.plain > FILE_BYTES_MAX || entry.offset + 30 > zip.length) throw malformed()
  const from = entry.offset + 30 + zip.readUInt16LE(entry.offset + 26) + zip.readUInt16LE(entry.offset + 28)
  const body = zip.subarray(from, from + entry.packed)
  if (entry.method !== 0 && entry.method !== 8) throw malformed()
  try {
    const plain =
      entry.method === 8 ? inflateRawSync(body, { maxOutputLength: Math.max(1, entry.plain) }) : body
    if (plain.length !== entry.plain || crc32(plain) !== entry.crc) throw malformed()
    return plain
  } catch {
    throw malformed()
  }
}

function malformed(): Refused {
  return new Refused('DIGEST_MISMATCH', 'ZIP')
}
