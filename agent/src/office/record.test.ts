import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { Clerk, hospital, PIN, type Somebody } from '../counter/world.fixture.ts'
import { isProtected, patientStateOf } from '../register/read.ts'
import { openSlips } from '../register/slip.ts'

const FACILITY = facilityId('midori')
const HANAKO = patientKey(FACILITY, '00123456')
const TWIN: Somebody = {
  number: '00999999',
  kana: 'ヤマダ ハナコ',
  kanji: '山田 花子',
  birthDate: '1948-05-03',
  sex: 'female',
}
const SECOND = { second: 's-01', pin: PIN }
const DAY = 86_400_000

async function officerAt(extra: readonly Somebody[] = []) {
  const place = await hospital({}, extra)
  const clerk = new Clerk(place.app)
  await clerk.signIn('s-02')
  const patient = await clerk.open('00123456')
  const stateOf = () => patientStateOf(place.context.store.db, HANAKO)
  const put = (act: string, form: Record<string, string> = {}) => clerk.post(`${patient}/record/${act}`, form)
  return { ...place, clerk, patient, stateOf, put }
}

test('R8 T7 a letter that came back is entered on the page: the notice never was; one handed over cannot come back', async () => {
  const { clerk, patient, put, stateOf, clock } = await officerAt()
  await clerk.post(`${patient}/notice`, { to: 'person', method: 'post' })
  await clerk.post(`${patient}/notice`, { to: 'person' })
  const [posted, handed] = (await stateOf()).notices
  clock.now += 3_600_000
  const page = await clerk.signIn('s-02').then(() => clerk.get(patient))
  expect(page.status).toBe(404)
  const again = await clerk.open('00123456')
  expect((await clerk.get(`${again}/record`)).text).toContain('郵便が戻ってきた')
  const back = (notice: string) => clerk.post(`${again}/record/returned`, { notice })
  expect((await back(handed!.notice)).text).toContain('郵送した通知だけ')
  expect((await back(posted!.notice)).text).toContain('初めからなかったことになります')
  expect((await stateOf()).notices.map((one) => one.standing)).toEqual(['void', 'effective'])
  expect((await put('returned', { notice: posted!.notice })).status).toBe(404)
})

test('R8 T15 the post names the day of arrival: later counts at once, earlier only with a second person', async () => {
  const { clerk, clock, stateOf } = await officerAt()
  await clerk.post(`${await clerk.open('00123456')}/notice`, { to: 'person', method: 'post' })
  const { notice, deliveredAt } = (await stateOf()).notices[0]!
  clock.now += 10 * DAY
  await clerk.signIn('s-02')
  const patient = await clerk.open('00123456')
  const arrived = (form: Record<string, string>) =>
    clerk.post(`${patient}/record/arrived`, { notice, evidence: '1234-5678', ...form })
  expect((await arrived({ day: '20270101' })).text).toContain('届いた日を確かめてください')
  expect((await arrived({ day: '20261127', evidence: '' })).text).toContain('追跡番号')
  expect((await arrived({ day: '20261127' })).text).toContain('二人目の確認がない')
  expect((await stateOf()).notices[0]?.deliveredAt).toBe(deliveredAt)
  expect((await arrived({ day: '20261127', ...SECOND })).text).toContain('その日から数えます')
  expect((await stateOf()).notices[0]?.deliveredAt).toBeLessThan(deliveredAt)
})

test('R46 T28 what opens the gate takes a second person: a hold, a provisional stop, two charts taken apart', async () => {
  const { clerk, put, patient, stateOf } = await officerAt([TWIN])
  await put('hold', { reason: 'identity' })
  expect((await stateOf()).holds).toEqual(['identity'])
  for (const second of [
    {},
    { second: 's-02', pin: PIN },
    { second: 's-01', pin: '111111' },
    { second: 's-03', pin: PIN },
  ])
    expect((await put('free', { reason: 'identity', ...second })).text).toContain('もう一人の職員')
  expect((await stateOf()).holds).toEqual(['identity'])
  expect((await put('free', { reason: 'identity', ...SECOND })).text).toContain('保留を外しました')
  await clerk.post(`${patient}/stop`, { who: 'agent', how: 'none' })
  const { stop } = (await stateOf()).stops[0]!
  expect((await put('dismiss', { stop, reason: 'impostor' })).text).toContain('もう一人の職員')
  expect((await put('dismiss', { stop, ...SECOND })).text).toContain('理由をえらんで')
  expect((await put('dismiss', { stop, reason: 'impostor', ...SECOND })).text).toContain('外しました')
  expect((await stateOf()).stops[0]?.standing).toBe('undone')
  const other = (await clerk.open('00999999')).split('/').at(-1) ?? ''
  await clerk.post(`${patient}/same`, { other, answer: 'unsure' })
  expect((await clerk.get(`${patient}/record`)).text).toContain('両方を保留しています')
  expect((await put('same', { other })).text).toContain('同じ方として記録しました')
  expect((await stateOf()).holds).toEqual([])
  expect((await put('apart', { other })).text).toContain('もう一人の職員')
  expect((await put('apart', { other, ...SECOND })).text).toContain('別の方として')
})

test('R22 T20 T36 a death and a protection are entered and taken back; a posted slip that came back is owed again', async () => {
  const { clerk, put, patient, stateOf, context, clock } = await officerAt()
  expect((await put('death', { day: '20990101' })).text).toContain('未来の日は入れられません')
  await put('death', { day: 'R8.11.1' })
  expect((await stateOf()).deceasedOn).toBe('2026-11-01')
  expect((await put('alive')).text).toContain('もう一人の職員')
  expect((await stateOf()).deceasedOn).toBe('2026-11-01')
  await put('alive', SECOND)
  expect((await stateOf()).deceasedOn).toBeNull()
  await put('protect', { on: 'yes' })
  expect(await isProtected(context.store.db, HANAKO)).toBe(true)
  expect((await clerk.get(patient)).text).toContain('支援措置の記録があるため')
  await put('protect', { on: 'no' })
  expect(await isProtected(context.store.db, HANAKO)).toBe(false)
  await clerk.post(`${patient}/stop`, { who: 'person', how: 'card' })
  const { stop } = (await stateOf()).stops[0]!
  await clerk.post(`${patient}/slip/${stop}/handed`, { how: 'posted' })
  expect(await openSlips(context.store.db, clock.now)).toEqual([])
  const number =
    /name="number"\s+value="([^"]+)"/.exec((await clerk.get(`${patient}/record`)).text)?.[1] ?? ''
  await put('bounced', { number })
  expect(await openSlips(context.store.db, clock.now)).toHaveLength(1)
  expect((await put('bounced', { number })).status).toBe(404)
  for (const unknown of ['fly', 'constructor']) expect((await put(unknown)).status).toBe(404)
})

test('R46 the desk and IT may not put records right', async () => {
  const { app } = await officerAt()
  for (const staff of ['s-01', 's-03']) {
    const clerk = new Clerk(app)
    await clerk.signIn(staff)
    const path = staff === 's-01' ? await clerk.open('00123456') : '/patient/x'
    expect((await clerk.get(`${path}/record`)).status).toBe(403)
    expect((await clerk.post(`${path}/record/death`, { day: '20261101' })).status).toBe(403)
  }
})
