import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { LINE_BYTES_MAX, type Line, linesOf } from './lines.ts'

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function cut(text: string | Buffer, size: number): Promise<Line[]> {
  const lines: Line[] = []
  for await (const some of linesOf(chunks(Buffer.from(text as string), size))) lines.push(...some)
  return lines
}

const told = (lines: Line[]) => lines.map(({ bytes, line }) => [line, Buffer.from(bytes ?? []).toString()])

test('DATA T24 blank lines, CRLF, byte order mark and a last line without an end, whatever the chunks', async () => {
  const text = '\ufeff{"a":"あ"}\r\n\r\n  \n{"b":2}\n{"c":3}'
  for (let size = 1; size < 40; size++)
    expect(told(await cut(text, size))).toEqual([
      [1, '{"a":"あ"}'],
      [4, '{"b":2}'],
      [5, '{"c":3}'],
    ])
})

test('start and length find each line again', async () => {
  const file = Buffer.from('\ufeff{"a":1}\r\n\n{"bb":2}\n{"c":3}')
  for (const size of [1, 3, 100])
    for (const { bytes, start, length } of await cut(file, size))
      expect(
        file
          .subarray(start, start + length)
          .toString()
          .trim()
          .replace('\ufeff', ''),
      ).toBe(Buffer.from(bytes ?? []).toString())
})

test('DATA T24 a line over the cap is passed over by its hash, and the next one is read', async () => {
  const long = Buffer.alloc(LINE_BYTES_MAX + 1, 'x')
  const lines = await cut(Buffer.concat([long, Buffer.from('\n{"a":1}\n')]), 1024 * 1024)
  expect(lines[0]?.bytes).toBeNull()
  expect(lines[0]?.hash()).toBe(createHash('sha256').update(long).digest('hex'))
  expect(told(lines.slice(1))).toEqual([[2, '{"a":1}']])
})
