import { expect, test } from 'vitest'
import { ConfigFaulty, readConfig } from './config.ts'
import { isQuiet } from './sources/quiet-hours.ts'

const GOOD = { hub: 'https://gateway.example.jp', facility: 'midori' }

function faults(raw: unknown): readonly string[] {
  try {
    readConfig(JSON.stringify(raw))
    return []
  } catch (error) {
    if (error instanceof ConfigFaulty) return error.faults
    throw error
  }
}

test('little need be said: the rest has safe defaults', () => {
  expect(readConfig(JSON.stringify(GOOD))).toMatchObject({
    track: 'ANON',
    waitDays: 30,
    quietHours: null,
    counter: { host: '127.0.0.1', port: 8410 },
    staff: [],
  })
})

test('every fault is named at once, in Japanese, with its place', () => {
  const found = faults({
    facility: 'みどり',
    sources: [
      { id: 'a', kind: 'hl7' },
      { id: 'b', kind: 'fhir-bulk' },
    ],
    waitDays: 7,
    quietHours: { from: '8:30', to: '18:00' },
    hubb: 1,
  })
  expect(found.length).toBe(7)
  for (const fault of found) expect(fault).toMatch(/[ぁ-ん]/)
  expect(found.join('\n')).toContain('hub：書かれていません')
  expect(found.join('\n')).toContain('waitDays：30日より短くできません')
  expect(found.join('\n')).toContain('「hubb」')
})

test('two sources of one id, and a text that is no JSON', () => {
  const folder = { id: 'ehr', kind: 'fhir-bulk', folder: '/x' }
  expect(faults({ ...GOOD, sources: [folder, folder] })[0]).toContain('二つあります')
  expect(() => readConfig('{')).toThrow('JSONとして読めません')
})

test('the environment overrides addresses without editing the file', () => {
  const config = readConfig(JSON.stringify(GOOD), {
    KAKEHASHI_HUB: 'https://other.example.jp',
    KAKEHASHI_COUNTER: '0.0.0.0:9000',
  })
  expect(config).toMatchObject({ hub: 'https://other.example.jp', counter: { host: '0.0.0.0', port: 9000 } })
})

test('quiet hours are Tokyo’s, and may span midnight', () => {
  const at = (time: string) => Date.parse(`2026-04-10T${time}+09:00`)
  const clinic = { from: '08:30', to: '18:00' }
  expect(isQuiet(clinic, at('08:29'))).toBe(false)
  expect(isQuiet(clinic, at('08:30'))).toBe(true)
  expect(isQuiet(clinic, at('18:00'))).toBe(false)
  const night = { from: '22:00', to: '06:00' }
  expect(isQuiet(night, at('23:00'))).toBe(true)
  expect(isQuiet(night, at('05:59'))).toBe(true)
  expect(isQuiet(night, at('12:00'))).toBe(false)
  expect(isQuiet(null, at('12:00'))).toBe(false)
})

test('a folder of exports under its earlier name, and a server of exports with what it needs', () => {
  const sources = [
    { id: 'a', kind: 'fhir-bulk', folder: '/x' },
    {
      id: 'b',
      kind: 'fhir-bulk',
      base: 'https://ehr.example/fhir',
      auth: { kind: 'smart', clientId: 'kakehashi', keysFile: '/k.json' },
      level: 'Group/g1',
    },
  ]
  const [folder, server] = readConfig(JSON.stringify({ ...GOOD, sources })).sources
  expect(folder).toEqual({ id: 'a', kind: 'fhir-folder', quietHours: null, folder: '/x' })
  expect(server).toMatchObject({
    level: 'Group/g1',
    everyHours: 20,
    auth: { scope: 'system/*.rs' },
    proxy: null,
  })
  expect(faults({ ...GOOD, sources: [{ ...sources[1], level: 'Everything' }] })[0]).toContain('Group/<ID>')
})

test('a source may rest at its own hours; sources that never all are open are refused', () => {
  const resting = (id: string, from: string, to: string) => ({
    id,
    kind: 'ssmix2',
    folder: `/${id}`,
    quietHours: { from, to },
  })
  const [days, nights] = [resting('a', '08:00', '20:00'), resting('b', '20:00', '08:00')]
  expect(readConfig(JSON.stringify({ ...GOOD, sources: [days] })).sources[0]?.quietHours?.from).toBe('08:00')
  expect(faults({ ...GOOD, sources: [days, nights] })[0]).toContain('quietHours')
  expect(faults({ ...GOOD, quietHours: nights.quietHours, sources: [days] })[0]).toContain('quietHours')
})
