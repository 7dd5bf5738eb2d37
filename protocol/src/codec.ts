import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Refused } from './refusals.ts'

/** How the plaintext of a batch is packed before it is sealed; one byte of the envelope. */
export type Codec = 'none' | 'zstd'

const LEVEL = 3

/** The smaller of the packed and the plain bytes. */
export function pack(plain: Uint8Array): { codec: Codec; packed: Uint8Array } {
  const packed = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })
  return packed.length < plain.length ? { codec: 'zstd', packed } : { codec: 'none', packed: plain }
}

/**
 * Exactly `plainBytes` bytes, or `Refused` (`ENVELOPE_MALFORMED`). Memory is bounded by `plainBytes` whatever the
 * packed bytes claim, and nothing may follow the packed data.
 */
export function unpack(codec: Codec, packed: Uint8Array, plainBytes: number): Uint8Array {
  if (codec === 'none') {
    if (packed.length !== plainBytes) throw new Refused('ENVELOPE_MALFORMED', 'plain size')
    return packed
  }
  try {
    const { buffer, engine } = decompress(packed, plainBytes)
    if (buffer.length === plainBytes && engine.bytesWritten === packed.length) return buffer
  } catch {
    throw new Refused('ENVELOPE_MALFORMED', 'packed data')
  }
  throw new Refused('ENVELOPE_MALFORMED', 'plain size')
}

/** With `info`, node also says how much of the input the decoder took; the type definitions leave that out. */
function decompress(
  packed: Uint8Array,
  bytesMax: number,
): { buffer: Buffer; engine: { bytesWritten: number } } {
  const room = Math.max(bytesMax, 64)
  // one buffer of the size it will have, not many small ones that are joined
  const options = { maxOutputLength: Math.max(bytesMax, 1), chunkSize: room, info: true }
  return zstdDecompressSync(packed, options) as unknown as ReturnType<typeof decompress>
}
