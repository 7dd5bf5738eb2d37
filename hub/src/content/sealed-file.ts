import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import sodium from 'libsodium-wrappers'
import { ContentUnreadable } from './keys.ts'

await sodium.ready

/** `KKSEAL1\n`, the stream header, then chunks of secretstream XChaCha20-Poly1305; the last one is tagged FINAL. */
const MAGIC = new TextEncoder().encode('KKSEAL1\n')
const CHUNK_BYTES = 256 * 1024
const HEADER_BYTES = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
const OVERHEAD_BYTES = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
const TAG_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
const TAG_MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE

export interface SealedFile {
  bytes: number
  sha256: string
}

/** Seals `from` into `to` chunk by chunk; returns once the file and its directory entry are on disk. */
export async function sealFile(
  from: string,
  to: string,
  secret: Uint8Array,
  about: string,
): Promise<SealedFile> {
  await using source = await open(from, 'r')
  const target = await open(to, 'wx', 0o600)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    const put = async (part: Uint8Array): Promise<void> => {
      hash.update(part)
      bytes += part.length
      await target.write(part)
    }
    const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(secret)
    await put(MAGIC)
    await put(header)
    let part = await readPart(source, CHUNK_BYTES)
    for (;;) {
      const next = part.length < CHUNK_BYTES ? null : await readPart(source, CHUNK_BYTES)
      const last = next === null || next.length === 0
      const tag = last ? TAG_FINAL : TAG_MESSAGE
      await put(sodium.crypto_secretstream_xchacha20poly1305_push(state, part, about, tag))
      if (last) break
      part = next
    }
    await target.sync()
  } finally {
    await target.close()
  }
  await syncDirectory(dirname(to))
  return { bytes, sha256: hash.digest('hex') }
}

/** Opens a sealed file into `to`. Throws {@link ContentUnreadable} on a wrong key, an altered or a cut file. */
export async function openFile(from: string, to: string, secret: Uint8Array, about: string): Promise<void> {
  await using source = await open(from, 'r')
  await using target = await open(to, 'wx', 0o600)
  const magic = await readPart(source, MAGIC.length)
  const header = await readPart(source, HEADER_BYTES)
  if (Buffer.compare(magic, MAGIC) !== 0 || header.length !== HEADER_BYTES)
    throw new ContentUnreadable('not a sealed file')
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, secret)
  for (;;) {
    const part = await readPart(source, CHUNK_BYTES + OVERHEAD_BYTES)
    if (part.length === 0) throw new ContentUnreadable('the sealed file is cut short')
    const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(state, part, about)
    if (!opened) throw new ContentUnreadable('a sealed file does not open: wrong key, or altered')
    await target.write(opened.message)
    if (opened.tag !== TAG_FINAL) continue
    if ((await readPart(source, 1)).length > 0) throw new ContentUnreadable('bytes after the end')
    return
  }
}

export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

async function readPart(file: FileHandle, size: number): Promise<Uint8Array> {
  const part = new Uint8Array(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await file.read(part, filled, size - filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return part.subarray(0, filled)
}
