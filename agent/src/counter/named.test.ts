import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { patientStateOf } from '../register/read.ts'
import { Clerk, hospital, PIN, showPatient } from './world.fixture.ts'

const FACILITY = facilityId('midori')
const JIRO = {
  number: '00777777',
  kana: 'オオノ ジロウ',
  kanji: '大野 次郎',
  birthDate: '1955-02-03',
  sex: 'male',
} as const

async function atTheDesk(extra: Parameters<typeof hospital>[1] = []) {
  const place = await hospital({}, extra)
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const stopsOf = async (number: string) =>
    (await patientStateOf(place.context.store.db, patientKey(FACILITY, number))).stops.map(
      (one) => one.standing,
    )
  return { ...place, clerk, stopsOf }
}

const asked = { kana: 'おおの　じろう', name: '', born: 'S30.2.3', who: 'person', erasure: 'no' }

test('R12 no chart is found: the name stops, gets its slip, and holds a chart from its first sight', async () => {
  const { clerk, stopsOf, store, context } = await atTheDesk()
  const none = await clerk.post('/search', { q: 'オオノ ジロウ' })
  expect(none.text).toContain('href="/named/new"')
  const slip = await clerk.post('/named/new', asked)
  expect(slip.text).toContain('停止を受け付けました。')
  expect(slip.text.match(/提供停止の求めの確認書<\/h2>/g)).toHaveLength(2)
  expect((await clerk.get('/tasks')).text).toContain('番号が見つかっていない停止 1件')
  await showPatient(store, context, JIRO)
  expect(await stopsOf(JIRO.number)).toEqual(['provisional'])
  const list = await clerk.get('/named')
  expect(list.text).toContain('00777777')
  await clerk.post(
    clerk.path.replace('/named', slip.text.match(/action="(\/named\/[^"]+\/slip\/handed)"/)?.[1] ?? ''),
    {},
  )
  expect((await clerk.get('/tasks')).text).toContain('いまはありません。')
})

test('R12 a chart of that name and birth date is held at once; side by side, what differs is marked', async () => {
  const other = { ...JIRO, number: '00888888', birthDate: '1960-12-31' }
  const { clerk, stopsOf } = await atTheDesk([JIRO, other])
  await clerk.post('/named/new', { ...asked, name: '大野 二郎' })
  expect(await stopsOf(JIRO.number)).toEqual(['provisional'])
  expect(await stopsOf(other.number)).toEqual([])
  const list = (await clerk.get('/named')).text
  expect(list).toMatch(/class="differs">≠ 大野 次郎/)
  const chosen = /name="chosen"\s+value="([^"]+)"/.exec(list)?.[1] ?? ''
  const action = /action="(\/named\/[^/"]+)"/.exec(list)?.[1] ?? ''
  expect((await clerk.post(action, { chosen: 'somebody' })).status).toBe(422)
  expect(await stopsOf(JIRO.number)).toEqual(['provisional'])
  const done = await clerk.post(action, { chosen })
  expect(done.text).toContain('確定した番号 1件')
  expect(await stopsOf(JIRO.number)).toEqual(['confirmed'])
  expect((await clerk.post(action, { chosen })).status).toBe(404)
})

test('R12 a chart is let go only by two people, the second with a PIN of their own', async () => {
  const { clerk, stopsOf } = await atTheDesk([JIRO])
  await clerk.post('/named/new', asked)
  const action = /action="(\/named\/[^/"]+)"/.exec((await clerk.get('/named')).text)?.[1] ?? ''
  const nobody = { chosen: 'nobody' }
  for (const second of [
    {},
    { second: 's-01', pin: PIN },
    { second: 's-02', pin: '999111' },
    { second: 's-03', pin: PIN },
  ])
    expect((await clerk.post(action, { ...nobody, ...second })).text).toContain(
      '停止が外れる番号や病院があります',
    )
  expect(await stopsOf(JIRO.number)).toEqual(['provisional'])
  const done = await clerk.post(action, { ...nobody, second: 's-02', pin: PIN })
  expect(done.text).toContain('停止を外した番号 1件')
  expect(await stopsOf(JIRO.number)).toEqual(['undone'])
})

test('R12 R21 whoever only bears the name can neither undo, confirm nor withdraw what somebody else may have asked', async () => {
  const twin = { ...JIRO, number: '00888888' }
  const { clerk, stopsOf, context } = await atTheDesk([JIRO, twin])
  await clerk.post('/named/new', asked)
  const path = await clerk.open(twin.number)
  const [{ stop } = { stop: '' }] = (
    await patientStateOf(context.store.db, patientKey(FACILITY, twin.number))
  ).stops
  await clerk.post(`${path}/undo`, { kind: 'stop', id: stop })
  await clerk.post(`${path}/confirm-stop`, { stop })
  const said = { who: 'person', how: 'card', born: '19550203', explained: 'yes' }
  await clerk.post(`${path}/withdraw`, said)
  expect([await stopsOf(JIRO.number), await stopsOf(twin.number)]).toEqual([['provisional'], ['provisional']])
  const list = (await clerk.get('/named')).text
  const action = /action="(\/named\/[^/"]+)"/.exec(list)?.[1] ?? ''
  const found = { chosen: 'number', number: JIRO.number, second: 's-02', pin: PIN }
  expect((await clerk.post(action, found)).text).toContain('確定した番号 1件')
  expect([await stopsOf(JIRO.number), await stopsOf(twin.number)]).toEqual([['confirmed'], ['undone']])
  const own = await clerk.open(JIRO.number)
  expect((await clerk.post(`${own}/withdraw`, said)).text).toContain('あらためて通知が必要')
  expect([await stopsOf(JIRO.number), await stopsOf(twin.number)]).toEqual([['withdrawn'], ['undone']])
})

test('R12 the form by name says what is missing and keeps what was given', async () => {
  const { clerk } = await atTheDesk()
  const wrong = await clerk.post('/named/new', { ...asked, kana: '', born: 'いつか', who: '' })
  expect(wrong.status).toBe(422)
  for (const said of [
    'カナか氏名のどちらか',
    '生年月日として読めません',
    'だれが求めているか',
    'value="いつか"',
  ])
    expect(wrong.text).toContain(said)
})

test('R12 R18 no chart, every hospital: offered, said on the slip and in the list; an error ends it by two people', async () => {
  const { clerk, context } = await atTheDesk()
  expect((await clerk.get('/named/new')).text).toMatch(/name="places"\s+value="this"[^>]*checked/)
  expect((await clerk.post('/named/new', { ...asked, places: 'moon' })).status).toBe(422)
  const told = async () =>
    (await context.store.db.selectFrom('control_out').select('type').orderBy('seq').execute()).map(
      (row) => row.type,
    )
  expect((await clerk.post('/named/new', asked)).text).toContain('続きます（止めるときは')
  expect(await told()).not.toContain('stop-elsewhere-asked')
  expect((await clerk.get('/named')).text).not.toContain('受付のまちがい')
  const slip = await clerk.post('/named/new', { ...asked, kana: 'ベツ ハナ', places: 'all' })
  expect(slip.text).toContain('すべての病院で止めます（認定事業者が')
  expect(slip.text).toContain('ほかの病院からの提供も止めるよう')
  expect(await told()).toContain('stop-elsewhere-asked')
  const list = (await clerk.get('/named')).text
  expect(list.match(/受付のまちがいだった/g)).toHaveLength(1)
  const action = [...list.matchAll(/action="(\/named\/[^/"]+)"/g)].map((one) => one[1] ?? '')[1] ?? ''
  expect((await clerk.post(action, { chosen: 'error' })).text).toContain('番号や病院があります')
  await clerk.post(action, { chosen: 'error', second: 's-02', pin: PIN })
  expect((await told()).at(-1)).toBe('stop-withdrawn-reported')
})
