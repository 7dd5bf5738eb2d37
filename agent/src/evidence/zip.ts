import { crc32, deflateRawSync } from 'node:zlib'

/** Files of a package, one after the other; content is made while it is written. */
export interface PackageFile {
  path: string
  content: AsyncIterable<Uint8Array>
}

const FILE_BYTES_MAX = 1024 * 1024 * 1024
const FOUR_GIB = 0xffff_ffff
/** 2020-01-01 00:00: the time a package was made stands, signed, in its manifest. */
const DOS_DATE = ((2020 - 1980) << 9) | (1 << 5) | 1
const UTF8_NAMES = 0x0800

interface Entry {
  name: Buffer
  crc: number
  packed: number
  plain: number
  offset: number
  method: number
}

export class PackageTooLarge extends Error {
  override name = 'PackageTooLarge'
}

/** The plain ZIP form that every system opens, file by file; one file of it lies in memory at a time. */
export async function* zipped(files: AsyncIterable<PackageFile>): AsyncGenerator<Uint8Array> {
  const entries: Entry[] = []
  let offset = 0
  for await (const file of files) {
    const plain = await gathered(file.content)
    const deflated = deflateRawSync(plain)
    const body = deflated.length < plain.length ? deflated : plain
    const entry: Entry = {
      name: Buffer.from(file.path, 'utf8'),
      crc: crc32(plain),
      packed: body.length,
      plain: plain.length,
      offset,
      method: body === plain ? 0 : 8,
    }
    entries.push(entry)
    const head = Buffer.concat([fixed(0x04034b50, entry, false), entry.name])
    yield head
    yield body
    offset += head.length + body.length
    if (offset > FOUR_GIB) throw new PackageTooLarge('a package is at most 4 GiB')
  }
  const directory = Buffer.concat(
    entries.map((entry) => Buffer.concat([fixed(0x02014b50, entry, true), entry.name])),
  )
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  yield directory
  yield end
}

async function gathered(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of content) {
    parts.push(part)
    size += part.length
    if (size > FILE_BYTES_MAX) throw new PackageTooLarge('a file of a package is at most 1 GiB')
  }
  return Buffer.concat(parts)
}

/** The header before a file, or its longer copy in the directory at the end. */
function fixed(signature: number, entry: Entry, inDirectory: boolean): Buffer {
  const head = Buffer.alloc(inDirectory ? 46 : 30)
  head.writeUInt32LE(signature, 0)
  const at = inDirectory ? 6 : 4
  if (inDirectory) head.writeUInt16LE(20, 4)
  head.writeUInt16LE(20, at)
  head.writeUInt16LE(UTF8_NAMES, at + 2)
  head.writeUInt16LE(entry.method, at + 4)
  head.writeUInt16LE(0, at + 6)
  head.writeUInt16LE(DOS_DATE, at + 8)
  head.writeUInt32LE(entry.crc, at + 10)
  head.writeUInt32LE(entry.packed, at + 14)
  head.writeUInt32LE(entry.plain, at + 18)
  head.writeUInt16LE(entry.name.length, at + 22)
  if (inDirectory) head.writeUInt32LE(entry.offset, 42)
  return head
}
