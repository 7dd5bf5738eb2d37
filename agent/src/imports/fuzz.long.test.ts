import { expect, test } from 'vitest'
import { MUTANTS, mutantsOf } from '../sources/mutation.fixture.ts'
import { CSV_CELLS_MAX, csvRows, separatorOf } from './csv.ts'
import { decodeMessage, decodeText } from './encoding.ts'
import { firstAt, messagesOf, readMessage, valuesAt } from './hl7.ts'
import { Frames } from './mllp.ts'

const TABLE = Buffer.from(
  '\ufeff患者番号,渡した日時,受け取った人\r\n00001234,2026-04-01 09:00,本人\r\n"00,1234","令和8年4月1日","親\n権者"\r\n',
)
const ADT = Buffer.from(
  'MSH|^~\\&|HIS|H|KK|K|20260401090000||ADT^A04^ADT_A01|1|P|2.5\rEVN||20260401\rPID|1||0001^^^^PI||患者^太郎\rZNT|1|渡した',
)
const FRAMED = Buffer.concat([
  Buffer.from([0x0b]),
  ADT,
  Buffer.from([0x1c, 0x0d, 0x0b]),
  ADT,
  Buffer.from([0x1c, 0x0d]),
])
const PIECES = [
  '"',
  '""',
  ',',
  '\t',
  ';',
  '\r',
  '\n',
  '|',
  '^',
  '~',
  '\\',
  '&',
  '\u000b',
  '\u001c',
  '\r\n',
  'MSH',
  '\u001b$B',
]
const mutants = (seeds: Buffer[], seed: number) => mutantsOf({ seeds, pieces: PIECES }, MUTANTS, seed)
const LONG = { timeout: 3_600_000 }

test(`${MUTANTS} mutants of a table: rows or reasons, in order, within bounds`, LONG, () => {
  let rows = 0
  for (const bytes of mutants([TABLE], 31)) {
    const text = decodeText(bytes)
    if (text === null) continue
    let line = 0
    for (const row of csvRows(text, separatorOf(text))) {
      if (row.line < line || ('cells' in row && row.cells.length > CSV_CELLS_MAX))
        throw new Error('out of bounds')
      line = row.line
      rows++
    }
  }
  expect(rows).toBeGreaterThan(MUTANTS / 2)
})

test(`${MUTANTS} mutants of a message: read or not a message, never thrown`, LONG, () => {
  let read = 0
  for (const bytes of mutants([ADT], 32)) {
    const text = decodeMessage(bytes)
    if (text === null) continue
    for (const one of messagesOf(text)) {
      const message = readMessage(one.text)
      if (message === null) continue
      read++
      for (const place of ['PID-3', 'PID-5.1', 'ZNT-2', 'MSH-9.2'])
        valuesAt(message, place).push(firstAt(message, place))
    }
  }
  expect(read).toBeGreaterThan(MUTANTS / 4)
})

test(`${MUTANTS} mutants of a stream: never more in its frames than in the stream`, LONG, () => {
  let [n, framed] = [0, 0]
  for (const bytes of mutants([FRAMED], 33)) {
    const frames = new Frames()
    const size = 1 + (n++ % 61)
    let held = 0
    for (let from = 0; from < bytes.length; from += size)
      for (const frame of frames.feed(bytes.subarray(from, from + size)))
        if (frame.t === 'message') {
          framed++
          held += frame.bytes.length
        }
    if (held > bytes.length) throw new Error('out of bounds')
  }
  expect(framed).toBeGreaterThan(MUTANTS / 2)
})
