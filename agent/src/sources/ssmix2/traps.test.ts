import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Refused } from '@kakehashi/protocol/refusals'
import { afterEach, expect, test } from 'vitest'
import { fetched, key } from '../folder.fixture.ts'
import {
  adt00,
  jis,
  msh,
  openStorage,
  pathOf,
  pid,
  problems,
  results,
  type StorageWorld,
  type Written,
  AGES,
  chart,
  dueOf,
  lab,
  list,
  P,
  sendAll,
  T2,
} from './storage.fixture.ts'

let w: StorageWorld
afterEach(() => w[Symbol.asyncDispose]())

const types = async () => (await w.ledger()).map((row) => row.split('/')[0])
const payloads = async () =>
  (await fetched(w.connector, [key(P)])).records.map((one) => JSON.parse(Buffer.from(one.payload).toString()))

test('S1 another patient in the message than in its folder: quarantined, never guessed', async () => {
  w = await openStorage()
  await w.put(chart, adt00('0000999999'))
  await w.put({ ...lab }, results('123456', '7.1'))
  expect(await w.gather()).toMatchObject({ seen: 0, quarantined: 2 })
  expect((await w.quarantined()).map((one) => one.split(' ')[0])).toEqual([
    'PATIENT_MISMATCH',
    'PATIENT_MISMATCH',
  ])
  // nobody's number is in what staff are shown
  expect((await w.quarantined()).join()).not.toContain(P)
})

test('S2 a file in another folder than its name says is not opened', async () => {
  w = await openStorage()
  const path = await w.put(lab, results(P, '7.1'))
  const wrong = join(dirname(dirname(path)), 'ADT-22', basename(path))
  await mkdir(dirname(wrong), { recursive: true })
  await rename(path, wrong)
  await writeFile(join(dirname(wrong), 'Thumbs.db'), 'x')
  expect(await w.gather()).toMatchObject({ seen: 0, quarantined: 2 })
  expect((await w.quarantined()).map((one) => one.split(' ')[0]).toSorted()).toEqual([
    'FILE_MISPLACED',
    'FILE_NAME_UNKNOWN',
  ])
})

test('S3 a file still being written waits; an empty one is quarantined once it has settled', async () => {
  w = await openStorage()
  const now = new Date(w.env.at)
  await w.put(lab, results(P, '7.1').slice(0, 200), now)
  await w.put(chart, '', now)
  expect(await w.gather()).toMatchObject({ seen: 0, quarantined: 0 })
  expect(w.connector.counts.waiting).toBe(2)
  await w.put(lab, results(P, '7.1'), now)
  w.env.at += AGES
  expect(await w.gather()).toMatchObject({ quarantined: 1 })
  expect(await types()).toEqual(['DiagnosticReport', 'Observation', 'ServiceRequest', 'Specimen'])
  expect(await w.quarantined()).toEqual([expect.stringContaining('FILE_EMPTY')])
})

test('S4 a file renamed between listing and reading: its folder is listed again', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  const next = { ...lab, at: T2 }
  const events: string[] = []
  const walk = w.connector.changes(null, { run: 'r', signal: new AbortController().signal })
  for await (const event of walk) {
    events.push(event.t === 'record' ? `${event.t} ${event.record.key.type}` : event.t)
    if (event.t !== 'pass') continue
    await w.put(next, results(P, '7.2'))
    await w.flag(lab, 2)
  }
  expect(events).toContain('record Observation')
  expect(events).not.toContain('fault')
  expect((await payloads()).find((one) => one.resourceType === 'Observation').valueQuantity.value).toBe(7.2)
})

test('S5 the file server’s clock is ahead: nothing waits for ever; long kanji names in folders do no harm', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'), new Date(w.env.at + AGES))
  const odd = join(dirname(pathOf(w.root, lab)), '..', 'L-OBSERVATIONS^観察^99ZL01')
  await mkdir(odd, { recursive: true })
  expect(await w.gather()).toMatchObject({ added: 4, faults: [] })
})

test('S6 a rename is seen by the names alone, though no time of a file changed', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  await w.gather()
  await sendAll(w)
  await w.flag(lab, 0)
  expect(await w.gather()).toMatchObject({ vanished: 4 })
  expect(await w.ledger()).toEqual([])
  expect(await dueOf(w)).toHaveLength(4)
  expect(await dueOf(w)).toContain('Observation deleted')
})

test('S7 two valid files of one key: the newer is read, and it is said', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  await w.put({ ...lab, at: T2 }, results(P, '7.2'))
  const gathered = await w.gather()
  expect(gathered.faults).toMatchObject([{ code: 'DOUBLE_VALID', retryable: false }])
  expect((await payloads()).find((one) => one.resourceType === 'Observation').valueQuantity.value).toBe(7.2)
})

test('S8 preliminary, final, corrected: the later file takes the earlier one’s place under the same key', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1', 'P'))
  await w.gather()
  const before = await w.ledger()
  for (const [n, status] of ['F', 'C'].entries()) {
    const old = { ...lab, at: `2026010${5 + n}090000000` }
    await w.put({ ...lab, at: `2026010${6 + n}090000000` }, results(P, `7.${n + 2}`, status))
    await w.flag(old, 2)
    expect(await w.gather()).toMatchObject({ added: 0, changed: 1, vanished: 0 })
    expect(await w.ledger()).toEqual(before)
  }
  expect((await payloads()).find((one) => one.resourceType === 'Observation')).toMatchObject({
    status: 'corrected',
  })
})

test('S9 an order and its result share the order number and stay two records', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  const order = [
    msh('OML^O33^OML_O33'),
    pid(P),
    'SPM|1|||023^血清^JC10',
    'ORC|NW|O1',
    'OBR|1|O1||E002^生化学^99O03',
  ]
  await w.put({ ...lab, kind: 'OML-01' }, order.join('\r'))
  await w.gather()
  expect((await types()).filter((type) => type === 'ServiceRequest')).toHaveLength(2)
  await w.flag({ ...lab, kind: 'OML-01' }, 0)
  await w.gather()
  expect((await types()).filter((type) => type === 'ServiceRequest')).toHaveLength(1)
})

test('S10 kanji and kana swapped, unmarked, marked a component early, or one missing', async () => {
  w = await openStorage()
  const names: [string, string, string][] = [
    ['患者^太郎^^^^^L^I~カンジャ^タロウ^^^^^L^P', '患者', 'カンジャ'],
    ['カンジャ^タロウ^^^^^L^I~患者^太郎^^^^^L^P', '患者', 'カンジャ'],
    ['仮^太郎^^^^L^I~カリ^タロウ^^^^^L^P', '仮', 'カリ'],
    ['患者^太郎~カンジャ^タロウ', '患者', 'カンジャ'],
    ['カンジャ^タロウ^^^^^L^P', '', 'カンジャ'],
  ]
  for (const [n, [written, kanji, kana]] of names.entries()) {
    const patient = `00000${n}1234`
    await w.put({ ...chart, patient }, adt00(patient).replace(/患者\^太郎.*P\|/, `${written}|`))
    await w.gather()
    const { records } = await fetched(w.connector, [key(patient)])
    const { name } = JSON.parse(Buffer.from(records[0]!.payload).toString())
    const of = (code: string) =>
      name.find((one: { extension: [{ valueCode: string }] }) => one.extension[0].valueCode === code)
        ?.family ?? ''
    expect([written, of('IDE'), of('SYL')]).toEqual([written, kanji, kana])
  }
})

test('S11 a code of the hospital’s own list alone keeps its name and its list', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1').replace('3A010000002327101^総蛋白^JC10', '10222^ＴＰ^99X03'))
  await w.gather()
  const { code } = (await payloads()).find((one) => one.resourceType === 'Observation')
  expect(code.coding).toEqual([{ system: 'urn:x-ssmix2:local:99X03', code: '10222', display: 'ＴＰ' }])
})

test('S12 JLAC10 codes of 5, 15, 16 or 18 digits are not passed off as codes of 17', async () => {
  w = await openStorage()
  const systems: Record<string, string> = {
    '3A010000002327101': 'urn:oid:1.2.392.200119.4.504',
    '3A010': 'urn:oid:1.2.392.200119.4.1005',
    '3A0100000023271': 'urn:x-ssmix2:JC10',
    '3A01000000232710': 'urn:x-ssmix2:JC10',
    '3A0100000023271012': 'urn:x-ssmix2:JC10',
  }
  for (const [n, code] of Object.keys(systems).entries())
    await w.put({ ...lab, order: `00000000000000${n}` }, results(P, '7.1', 'F', code))
  await w.gather()
  const codings = (await payloads()).flatMap((one) =>
    one.resourceType === 'Observation' ? one.code.coding : [],
  )
  expect(Object.fromEntries(codings.map(({ code, system }) => [code, system]))).toEqual(systems)
})

test('S13 birth date and sex in each other’s place', async () => {
  w = await openStorage()
  await w.put(chart, adt00(P).replace('19480405|M', 'M|19480405'))
  await w.gather()
  expect((await payloads())[0]).toMatchObject({ birthDate: '1948-04-05', gender: 'male' })
})

test('S14 segments nobody knows stay, byte for byte, with what they follow', async () => {
  w = await openStorage()
  const text = `${problems(P, [['1', '20054174']])}\rZXX|1|独自^項目\rZPR||20054174^胃炎^MDCDX2`
  await w.put(list, text)
  await w.gather()
  const [condition] = await payloads()
  const raw = condition.extension[0].extension[1].valueBase64Binary as string
  expect(Buffer.from(raw, 'base64').includes(jis('ZXX|1|独自^項目'))).toBe(true)
})

test('S15 a storage built anew: every time is new, the content is not, and nothing is sent again', async () => {
  w = await openStorage()
  const files: [Written, (id: string) => string][] = [
    [chart, (id) => adt00(P, id)],
    [list, (id) => problems(P, [['1', '20054174']], id)],
  ]
  for (const [file, text] of files) await w.put(file, text('1'))
  expect(await w.gather()).toMatchObject({ added: 2 })
  for (const [file, text] of files) {
    await rm(pathOf(w.root, file))
    await w.put({ ...file, at: T2 }, text('2').replaceAll('|20260101000000|', '|20260301000000|'))
  }
  expect(await w.gather()).toMatchObject({ added: 0, changed: 0, unchanged: 2, vanished: 0 })
  expect(await w.gather({ full: true })).toMatchObject({ added: 0, changed: 0, unchanged: 2, vanished: 0 })
})

test('S16 storages of two institutions side by side are not mixed: one has to be chosen', async () => {
  w = await openStorage()
  const roots = ['1310000001_std', '1310000002_std']
  for (const [n, root] of roots.entries()) {
    const path = pathOf(join(w.root, root), chart)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, jis(adt00(P).replace('19480405', `1948040${n + 1}`)))
  }
  expect((await w.gather()).faults).toMatchObject([{ code: 'SOURCE_AMBIGUOUS' }])
  await expect(w.connector.probe()).rejects.toThrow(Refused)
  const folder = w.root
  const other = await openStorage({ folder, institution: '1310000002' })
  expect(await other.gather()).toMatchObject({ added: 1, faults: [] })
  const { records } = await fetched(other.connector, [key(P)])
  expect(JSON.parse(Buffer.from(records[0]!.payload).toString())).toMatchObject({
    birthDate: '1948-04-02',
    identifier: [{ system: 'urn:oid:1.2.392.100495.20.3.51.11310000002', value: P }],
  })
  await other[Symbol.asyncDispose]()
})

test('S17 a restored backup brings a deleted file back: it stays deleted', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  await w.gather()
  await w.flag(lab, 0)
  await w.put({ ...lab, at: T2, flag: 0 }, results(P, '7.1'))
  expect(await w.gather()).toMatchObject({ vanished: 4 })
  await w.put(lab, results(P, '7.1'))
  expect(await w.gather()).toMatchObject({ added: 0 })
  expect(await w.ledger()).toEqual([])
  // entered anew later, it counts
  await w.put({ ...lab, at: '20260107090000000' }, results(P, '7.1'))
  expect(await w.gather()).toMatchObject({ added: 4 })
})

test('S18 fewer or more fields than defined', async () => {
  w = await openStorage()
  await w.put(chart, [msh('ADT^A08^ADT_A01'), `PID|||${P}`].join('\r'))
  await w.put(
    lab,
    `${results(P, '7.1')}${'|x'.repeat(60)}\rOBX|2|NM|3A015000002327101^アルブミン^JC10\rOBX|3`,
  )
  expect(await w.gather()).toMatchObject({ quarantined: 0 })
  expect((await types()).filter((type) => type === 'Observation')).toHaveLength(2)
  expect(await types()).toContain('Patient')
})

test('S19 a chart taken out while the same person has another: reported, not merged', async () => {
  w = await openStorage()
  const links: string[] = []
  const showLink = async (_tx: unknown, { from, to, kind }: { from: string; to: string; kind: string }) => {
    links.push(`${from} ${to} ${kind}`)
  }
  await w.put(chart, adt00(P))
  await w.put({ ...chart, patient: '0000777777' }, adt00('0000777777'))
  await w.gather({ showLink })
  await w.flag(chart, 0)
  await w.put({ ...chart, at: T2, flag: 0 }, adt00(P).replace('A08', 'A23'))
  const gathered = await w.gather({ showLink })
  expect(gathered.faults).toMatchObject([{ code: 'CHART_REMOVED', retryable: false }])
  expect(links).toEqual([`h1/${P} h1/0000777777 seealso`])
  expect(await w.ledger()).toEqual(['Patient/0000777777 active'])
})
