import { createHash, hash, type Hash } from 'node:crypto'

/** One line of an NDJSON file: its bytes without the line end, or, when it was too long to hold, only their hash. */
export interface Line {
  bytes: Uint8Array | null
  /** Where it starts in the (unpacked) file, and how many bytes it takes with its line end. */
  start: number
  length: number
  /** From 1. */
  line: number
  /** Only a last line may lack its end. */
  ended: boolean
  hash(): string
}

/** 16 MiB: a line may be a whole Bundle. A single record has its own, lower cap. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Cuts chunks into lines, a chunk's worth at a time. Blank lines, CRLF and a byte order mark are taken off; the last
 * line needs no line end. Holds at most one line and one chunk.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  from: { start: number; line: number } = { start: 0, line: 1 },
): AsyncGenerator<Line[]> {
  const cutter = new Cutter(from.start, from.line)
  for await (const chunk of chunks) {
    const lines = cutter.cut(chunk)
    if (lines.length > 0) yield lines
  }
  const last = cutter.end()
  if (last.length > 0) yield last
}

const LF = 10
const CR = 13

class Cutter {
  #held: Uint8Array[] = []
  #heldBytes = 0
  #tooLong: Hash | null = null
  #start: number
  #line: number
  constructor(start: number, line: number) {
    this.#start = start
    this.#line = line
  }

  cut(chunk: Uint8Array): Line[] {
    const lines: Line[] = []
    let at = 0
    for (;;) {
      const end = chunk.indexOf(LF, at)
      if (end < 0) break
      this.#take(lines, chunk.subarray(at, end), 1)
      at = end + 1
    }
    if (at < chunk.length) this.#hold(chunk.subarray(at))
    return lines
  }

  end(): Line[] {
    const lines: Line[] = []
    if (this.#heldBytes > 0) this.#take(lines, new Uint8Array(0), 0)
    return lines
  }

  #hold(part: Uint8Array): void {
    this.#heldBytes += part.length
    if (this.#tooLong) this.#tooLong.update(part)
    else if (this.#heldBytes <= LINE_BYTES_MAX) this.#held.push(part)
    else {
      this.#tooLong = createHash('sha256')
      for (const held of this.#held) this.#tooLong.update(held)
      this.#tooLong.update(part)
      this.#held = []
    }
  }

  #take(lines: Line[], tail: Uint8Array, lineEnd: number): void {
    let bytes: Uint8Array | null = tail
    if (this.#heldBytes > 0) {
      this.#hold(tail)
      bytes = this.#tooLong ? null : Buffer.concat(this.#held)
    }
    const length = (this.#heldBytes > 0 ? this.#heldBytes : tail.length) + lineEnd
    const told = bytes === null ? null : bare(bytes, this.#start)
    const digest = this.#tooLong
    if (told === null || told.length > 0)
      lines.push({
        bytes: told,
        start: this.#start,
        length,
        line: this.#line,
        ended: lineEnd > 0,
        hash: () => (told ? hash('sha256', told, 'hex') : (digest?.digest('hex') ?? '')),
      })
    this.#start += length
    this.#line++
    this.#held = []
    this.#heldBytes = 0
    this.#tooLong = null
  }
}

/** Takes a UTF-8 byte order mark off. */
export function withoutMark<T extends Uint8Array>(bytes: T): T {
  return (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes) as T
}

function bare(line: Uint8Array, start: number): Uint8Array {
  const bytes = start === 0 ? withoutMark(line) : line
  let from = 0
  let to = bytes.length
  while (to > from && isSpace(bytes[to - 1] as number)) to--
  while (from < to && isSpace(bytes[from] as number)) from++
  return bytes.subarray(from, to)
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === CR
}
