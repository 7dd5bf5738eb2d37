import { expect, test } from 'vitest'
import { JIS, jis } from '../ssmix2/storage.fixture.ts'
import { decodeStored } from './decode.ts'

const TEXT = 'PID|0001||1||患者^太郎^^^^^L^I~カンジャ^タロウ^^^^^L^P'

/** Code points by the decoder turned round: there is no encoder of these here. */
function encoded(text: string, label: 'euc-jp' | 'shift_jis'): Uint8Array {
  const decoder = new TextDecoder(label)
  const table = new Map<string, number[]>()
  for (let lead = 0x81; lead <= 0xfe; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const sign = decoder.decode(Uint8Array.of(lead, trail))
      if (sign.length === 1 && !table.has(sign)) table.set(sign, [lead, trail])
    }
  return Uint8Array.from(
    [...text].flatMap((sign) => (sign < '\x80' ? [sign.charCodeAt(0)] : table.get(sign)!)),
  )
}

test('ISO-2022-JP is decoded whole: bytes of kanji that look like delimiters cut nothing', () => {
  const delimiters = new Set([...'|^~\\&'].map((sign) => sign.charCodeAt(0)))
  const cells = [...JIS].filter(([, bytes]) => bytes.some((byte) => delimiters.has(byte)))
  expect(cells.length).toBeGreaterThan(600)
  for (const [sign] of cells)
    expect(decodeStored(jis(`A|${sign}|B`))).toEqual({ text: `A|${sign}|B`, encoding: 'iso-2022-jp' })
})

test('ESC ( J is taken for ASCII: the escape sign stays one, and so does the repetition sign', () => {
  const bytes = Uint8Array.from([0x1b, 0x28, 0x4a, ...Buffer.from('A\\F\\B~C'), 0x1b, 0x28, 0x42])
  expect(decodeStored(bytes)?.text).toBe('A\\F\\B~C')
})

test('the ladder: CP932, EUC-JP and UTF-8 are read and named, whichever it is', () => {
  expect(decodeStored(jis(TEXT))).toEqual({ text: TEXT, encoding: 'iso-2022-jp' })
  expect(decodeStored(encoded(TEXT, 'shift_jis'))).toEqual({ text: TEXT, encoding: 'shift_jis' })
  expect(decodeStored(encoded(TEXT, 'euc-jp'))).toEqual({ text: TEXT, encoding: 'euc-jp' })
  expect(decodeStored(Buffer.from(TEXT))).toEqual({ text: TEXT, encoding: 'utf-8' })
})

test('what no encoding reads is nothing: no character is replaced', () => {
  expect(decodeStored(Uint8Array.of(0x81))).toBeNull()
  expect(decodeStored(Uint8Array.of(0xff, 0xfe, 0x00, 0x81))).toBeNull()
  // half of a kanji at the end of a file that was cut off
  expect(decodeStored(jis('MSH|患者').subarray(0, -4))).toBeNull()
})
