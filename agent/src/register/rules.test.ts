import { expect, test } from 'vitest'
import { dateNotice, mayTakeBack, mayUndo, slipNumber } from './rules.ts'

const at = (text: string) => Date.parse(`${text}+09:00`)
const NOW = at('2026-04-10T15:00')

test('a notice of today keeps its hour, one of the future is none, unless it travels by post', () => {
  const asked = { deliveredAt: at('2026-04-10T09:00'), method: 'handed', by: 'a' } as const
  expect(dateNotice(asked, NOW)).toMatchObject({ deliveredAt: asked.deliveredAt, asAsked: true })
  expect(dateNotice({ ...asked, deliveredAt: NOW + 1 }, NOW)).toBe(null)
  expect(dateNotice({ ...asked, method: 'post', deliveredAt: NOW + 7 * 86_400_000 }, NOW)).toMatchObject({
    asAsked: true,
  })
})

test('T15 backdating: yesterday 23:59 needs a second person and evidence, though it is less than a day ago', () => {
  const asked = { deliveredAt: at('2026-04-09T23:59'), method: 'handed', by: 'a' } as const
  expect(dateNotice(asked, NOW)).toEqual({ deliveredAt: NOW, approved: false, asAsked: false })
  expect(dateNotice({ ...asked, approvedBy: 'a', evidence: 'x' }, NOW)?.asAsked).toBe(false)
  expect(dateNotice({ ...asked, approvedBy: 'b' }, NOW)?.asAsked).toBe(false)
  expect(dateNotice({ ...asked, approvedBy: 'b', evidence: 'x' }, NOW)).toEqual({
    deliveredAt: asked.deliveredAt,
    approved: true,
    asAsked: true,
  })
})

test('an act is taken back within ten minutes, and not when the clock went back', () => {
  expect(mayUndo(NOW, NOW + 600_000)).toBe(true)
  expect(mayUndo(NOW, NOW + 600_001)).toBe(false)
  expect(mayUndo(NOW, NOW - 1)).toBe(false)
})

test('T19 a guardian’s stop ends by the grown person alone; a relative or another name ends none', () => {
  type Who = 'person' | 'guardian' | 'family'
  const may = (stop: Who, asks: Who, birthDate: string | null, names: [string?, string?] = []): boolean =>
    mayTakeBack(
      { requester: stop, ...(names[0] === undefined ? {} : { requesterName: names[0] }) },
      { requester: asks, recordedAt: NOW, ...(names[1] === undefined ? {} : { requesterName: names[1] }) },
      birthDate,
    )
  const [child, grown] = ['2020-01-01', '2000-01-01']
  expect(may('guardian', 'guardian', child)).toBe(true)
  expect(may('guardian', 'guardian', grown)).toBe(false)
  expect(may('guardian', 'person', grown)).toBe(true)
  expect(may('guardian', 'person', null)).toBe(false)
  expect(may('person', 'guardian', child)).toBe(false)
  expect(may('person', 'family', grown)).toBe(false)
  expect(may('family', 'family', grown)).toBe(false)
  expect(may('person', 'person', grown, ['山田', '鈴木'])).toBe(false)
  expect(may('person', 'person', grown, ['山田', '山田'])).toBe(true)
  expect(may('guardian', 'person', grown, ['山田', '鈴木'])).toBe(true)
})

test('a slip number bears the day in Tokyo', () => {
  expect(slipNumber(at('2026-04-10T00:30'), new Uint8Array([0, 1, 2, 31, 32, 255]))).toBe('2026-0410-012Z0Z')
})
