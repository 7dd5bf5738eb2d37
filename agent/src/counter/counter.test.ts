import { facilityId, messageId, patientKey, stopId } from '@kakehashi/protocol/ids'
import { readStopToken, handleOf } from '@kakehashi/protocol/stop-handle'
import { expect, test } from 'vitest'
import { setProtection } from '../register/flow.ts'
import { patientStateOf } from '../register/read.ts'
import type { AgentContext } from '../context.ts'
import { openSlips } from '../register/slip.ts'
import { applyOrderedStop } from '../uplink/ordered-stop.ts'
import { Clerk, hospital } from './world.fixture.ts'

const HANAKO = patientKey(facilityId('midori'), '00123456')
const KENTA = patientKey(facilityId('midori'), '00123458')
const MINUTE = 60_000
const SAID = { how: 'card', born: 'S23.5.3', explained: 'yes' }

/** What the outbox holds for the hub. */
function heard({ store }: AgentContext) {
  return store.db.selectFrom('control_out').select('type').orderBy('seq').execute()
}

async function atTheDesk() {
  const place = await hospital()
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const stateOf = (patient: typeof HANAKO) => patientStateOf(place.context.store.db, patient)
  return { ...place, clerk, stateOf }
}

test('R3 R4 scan, see the state, one tap: the notice is recorded and the paper carries a one-time token', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  const before = await clerk.get(path)
  expect(before.text).toContain('ヤマダ ハナコ')
  expect(before.text).toContain('1948-05-03（78歳）')
  expect(before.text).toContain('まだ通知していません。')
  const paper = await clerk.post(`${path}/notice`, { to: 'person' })
  const state = await stateOf(HANAKO)
  expect(state.notices.map((one) => one.recipient)).toEqual(['person'])
  const token = readStopToken(/class="receipt">([^<]+)</.exec(paper.text)?.[1] ?? '')
  expect(token).not.toBeNull()
  expect(state.handles).toEqual([handleOf(token ?? '')])
  expect(paper.text).toMatch(/<svg\s+class="qr"/)
  const after = await clerk.get(path)
  expect(after.text).toContain('済 2026-11-25 手渡し')
  expect(after.text).toContain('早くて 2026年12月2')
  expect(after.text).not.toContain(token)
})

test('R5 a child: the page asks for both, says who is missing, and one tap serves both', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('00123458')
  expect((await clerk.get(path)).text).toContain('本人と保護者の両方に通知した')
  await clerk.post(`${path}/notice`, { to: 'person' })
  const half = await clerk.get(path)
  expect(half.text).toContain('保護者等への通知がまだです。')
  expect(half.text).not.toContain('早くて')
  await clerk.post(`${path}/notice`, { to: 'guardian' })
  const whole = await clerk.get(path)
  expect(whole.text).not.toContain('保護者等への通知がまだです。')
  expect(whole.text).toContain('早くて')
  expect((await stateOf(KENTA)).notices.map((one) => one.recipient).toSorted()).toEqual([
    'guardian',
    'person',
  ])
})

test('R5 one tap for both writes two notices', async () => {
  const { clerk, stateOf } = await atTheDesk()
  await clerk.post(`${await clerk.open('123458')}/notice`, { to: 'both' })
  expect((await stateOf(KENTA)).notices.map((one) => one.recipient).toSorted()).toEqual([
    'guardian',
    'person',
  ])
})

test('T22 a sheet given to somebody unable to take it is no notice, and prints no token', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/notice`, { to: 'unable' })
  expect(clerk.path).toBe(path)
  expect((await clerk.get(path)).text).toContain('まだ通知していません。')
  expect((await stateOf(HANAKO)).notices[0]?.recipientState).toBe('unable')
})

test('R12 T23 an oral stop: three actions, in force when the page says so, closed only by "handed"', async () => {
  const { clerk, stateOf, context, clock, state } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.get(`${path}/stop`)
  const told = state.told
  const page = await clerk.post(`${path}/stop`, { who: 'person', how: 'card', erasure: 'no' })
  expect(page.text).toContain('停止しました。')
  expect(state.told).toBe(told + 1)
  const [stop] = (await stateOf(HANAKO)).stops
  expect(stop).toMatchObject({ standing: 'confirmed', requester: 'person', tracks: null, operators: null })
  const slip = await clerk.get(`${path}/slip/${stop?.stop}`)
  expect(slip.text.match(/提供停止の求めの確認書<\/h2>/g)).toHaveLength(2)
  clock.now += MINUTE
  expect(await openSlips(context.store.db, clock.now)).toHaveLength(1)
  expect((await clerk.get('/tasks')).text).toContain('この窓口')
  await clerk.post(`${path}/slip/${stop?.stop}/handed`, {})
  expect(await openSlips(context.store.db, clock.now)).toEqual([])
})

test('R12 no reason, no identity document, no answer about erasure is needed to stop', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  const form = await clerk.get(`${path}/stop`)
  expect(form.text).not.toContain('required')
  expect(form.text).toContain('理由は聞きません')
  const page = await clerk.post(`${path}/stop`, { who: 'person', how: 'none' })
  expect(page.text).toContain('停止しました。')
  expect((await stateOf(HANAKO)).stops[0]?.standing).toBe('provisional')
})

test('R13 R15 the slip names the legal person, number, time, scope and contact, and is kept as printed', async () => {
  const { clerk, context, clock } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/stop`, { who: 'guardian', how: 'document', erasure: 'yes', relation: '長女' })
  const [task] = await openSlips(context.store.db, clock.now)
  const page = (await clerk.get(`${path}/slip/${task?.slip.stop}`)).text
  for (const part of [
    task?.slip.number ?? '-',
    '2026年11月25日 9時12分',
    '医療法人 みどり会',
    '理事長 緑川 誠',
    '保護者等（長女）',
    '削除を求めました',
    '0120-000-000',
    '一般財団法人 架け橋',
    '匿名加工・仮名加工の両方',
  ])
    expect(page).toContain(part)
  await clerk.post(`${path}/slip/${task?.slip.stop}/handed`, {})
  expect((await clerk.get(`${path}/slip/${task?.slip.stop}`)).text).toContain('に渡しました')
})

test('R12 the wrong patient: undone within ten minutes as a new event, refused after', async () => {
  const { clerk, stateOf, clock } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  const [first] = (await stateOf(HANAKO)).stops
  expect((await clerk.post(`${path}/undo`, { kind: 'stop', id: first?.stop ?? '' })).text).toContain(
    '取り消しました',
  )
  expect((await stateOf(HANAKO)).stops[0]?.standing).toBe('undone')
  await clerk.post(`${path}/notice`, { to: 'person' })
  const [notice] = (await stateOf(HANAKO)).notices
  for (let i = 0; i < 11; i++) {
    clock.now += MINUTE
    await clerk.get('/')
  }
  const late = await clerk.post(`${path}/undo`, { kind: 'notice', id: notice?.notice ?? '' })
  expect(late.text).toContain('10分を過ぎたため')
  expect((await stateOf(HANAKO)).notices[0]?.standing).toBe('effective')
})

test('T29 a notice handed again does not clear a stop', async () => {
  const { clerk } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  await clerk.post(`${path}/notice`, { to: 'person' })
  const page = (await clerk.get(path)).text
  expect(page).toContain('すでに停止中です')
  expect(page).toContain('通知書を渡しても停止はそのままです')
})

test('R21 a stop is withdrawn by the person only, said explicitly; then a new notice is due', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/notice`, { to: 'person' })
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  const form = await clerk.get(`${path}/withdraw`)
  expect(form.text).not.toContain(' checked')
  expect((await clerk.post(`${path}/withdraw`, {})).status).toBe(422)
  const relative = await clerk.post(`${path}/withdraw`, { who: 'other', ...SAID })
  expect(relative.text).toContain('ご本人だけです')
  expect((await stateOf(HANAKO)).stops[0]?.standing).toBe('confirmed')
  for (const wrong of [{ how: 'known' }, { born: '19480504' }, { born: '' }, { explained: '' }])
    expect((await clerk.post(`${path}/withdraw`, { who: 'person', ...SAID, ...wrong })).status).toBe(422)
  expect((await stateOf(HANAKO)).stops[0]?.standing).toBe('confirmed')
  expect(form.text).not.toContain('1948')
  const done = await clerk.post(`${path}/withdraw`, { who: 'person', ...SAID })
  expect(done.text).toContain('あらためて通知が必要')
  expect((await stateOf(HANAKO)).stops[0]?.standing).toBe('withdrawn')
})

test('R18 R21 the other hospitals: asked with a default of this one, on the slip in words, taken back only when said', async () => {
  const { clerk, context, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  const form = await clerk.get(`${path}/stop`)
  expect(form.text).toMatch(/name="places"\s+value="this"[^>]*checked/)
  expect((await clerk.post(`${path}/stop`, { who: 'person', how: 'card', places: 'moon' })).status).toBe(422)
  const told = async () => (await heard(context)).map((one) => one.type)
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  const alone = await clerk.get(`${path}/slip/${clerk.path.split('/').at(-1)}`)
  expect(alone.text).toContain('続きます（止めるときは')
  expect(await told()).not.toContain('stop-elsewhere-asked')
  const page = await clerk.post(`${path}/stop`, { who: 'person', how: 'card', places: 'all' })
  expect(page.text).toContain('ほかの病院からの提供も止めるよう')
  expect(await told()).toContain('stop-elsewhere-asked')
  const slip = await clerk.get(`${path}/slip/${clerk.path.split('/').at(-1)}`)
  expect(slip.text).toContain('すべての病院で止めます（認定事業者が')
  expect((await clerk.get(path)).text).toContain('停止の求め（ほかの病院も）')
  expect((await clerk.get(`${path}/withdraw`)).text).toContain('ほかの病院の停止もやめますか')
  const withdraw = (places: Record<string, string>) =>
    clerk.post(`${path}/withdraw`, { who: 'person', ...SAID, ...places })
  const before = (await told()).length
  expect((await withdraw({})).text).toContain('ほかの病院の停止をどうするか')
  expect((await stateOf(HANAKO)).stops.map((one) => one.standing)).toEqual(['confirmed', 'confirmed'])
  expect((await withdraw({ places: 'also' })).text).toContain('ほかの病院の分は認定事業者に伝えます')
  expect((await stateOf(HANAKO)).stops.map((one) => one.standing)).toEqual(['withdrawn', 'withdrawn'])
  // of the two stops one named the others
  expect((await told()).slice(before)).toEqual(Array(3).fill('stop-withdrawn-reported'))
})

test('works while the hub is away, and says so: notice, stop, slip, stop by name, undo, day', async () => {
  const { clerk, state, stateOf, context } = await atTheDesk()
  state.online = false
  const path = await clerk.open('123456')
  expect((await clerk.get(path)).text).toContain('回線が切れています')
  expect((await clerk.post(`${path}/notice`, { to: 'person' })).text).toContain('通知を記録しました')
  const page = await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  expect(page.text).toContain('すでに止まっています')
  const stop = clerk.path.split('/').at(-1) ?? ''
  expect((await clerk.get(`${path}/slip/${stop}`)).text).toContain('お渡しする用')
  await clerk.post(`${path}/slip/${stop}/handed`, {})
  expect((await clerk.post('/named/new', { kana: 'ナナシ', who: 'person' })).text).toContain(
    '停止を受け付けました',
  )
  expect((await clerk.post(`${path}/undo`, { kind: 'stop', id: stop })).text).toContain('取り消しました')
  expect((await clerk.get('/today')).text).toContain('回線が切れています')
  const state2 = await stateOf(HANAKO)
  expect([state2.notices.length, state2.stops[0]?.standing]).toEqual([1, 'undone'])
  const waiting = await context.store.db.selectFrom('control_out').selectAll().execute()
  expect(waiting.length).toBeGreaterThan(0)
})

test('R6 whoever turned 16 is shown as due for a notice of their own', async () => {
  const { clerk, clock } = await atTheDesk()
  const path = await clerk.open('123458')
  await clerk.post(`${path}/notice`, { to: 'both' })
  clock.now = Date.parse('2032-04-02T09:00:00+09:00')
  await clerk.signIn()
  const page = await clerk.get(await clerk.open('123458'))
  expect(page.text).toContain('16歳')
  expect(page.text).not.toContain('本人と保護者の両方に通知した')
})

test('T20 R22 somebody who died: no notice is offered, the family’s stop is', async () => {
  const { clerk } = await atTheDesk()
  const page = await clerk.get(await clerk.open('123459'))
  expect(page.text).toContain('通知の前に亡くなっているため提供できません。')
  expect(page.text).not.toContain('/notice"')
  const form = await clerk.get(`${clerk.path}/stop`)
  expect(form.text).toMatch(/value="family"[^>]*\schecked/)
})

test('T27 a second chart of the same person is asked about: same stops both, in doubt it is held', async () => {
  for (const [answer, expected] of [
    ['same', { stops: 1, holds: [] }],
    ['unsure', { stops: 0, holds: ['merge'] }],
  ] as const) {
    const double = {
      number: '99123456',
      kana: 'ﾔﾏﾀﾞ ﾊﾅｺ',
      kanji: '山田 花子',
      birthDate: '1948-05-03',
      sex: 'female',
    } as const
    const place = await hospital({}, [double])
    const clerk = new Clerk(place.app)
    await clerk.signIn()
    const path = await clerk.open('00123456')
    const stopped = await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
    expect(stopped.text).toContain('99123456')
    const other = /name="other" value="([^"]+)"/.exec(stopped.text)?.[1] ?? ''
    const page = await clerk.post(`${path}/same`, { other, answer })
    expect(page.text).not.toContain('99123456')
    const state = await patientStateOf(place.context.store.db, patientKey(facilityId('midori'), '99123456'))
    expect({ stops: state.stops.length, holds: state.holds }).toEqual(expected)
  }
})

test('R5 R6 whoever cannot judge needs a guardian’s notice too; recovery is recorded and asks for a notice anew', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/capacity`, { capacity: 'unable' })
  expect((await clerk.get(path)).text).toContain('本人と保護者の両方に通知した')
  await clerk.post(`${path}/notice`, { to: 'both' })
  expect((await clerk.get(path)).text).toContain('判断能力なしの記録があります')
  await clerk.post(`${path}/capacity`, { capacity: 'able' })
  expect((await stateOf(HANAKO)).capacity).toBe('able')
  expect((await clerk.get(path)).text).not.toContain('本人と保護者の両方に通知した')
  expect((await clerk.post(`${path}/capacity`, { capacity: 'x' })).status).toBe(409)
})

test('R13 R16 T25 a stop made at the operator is a task of this desk, its age counted from when it was asked', async () => {
  const { clerk, context, clock } = await atTheDesk()
  const path = await clerk.open('123456')
  const paper = await clerk.post(`${path}/notice`, { to: 'person' })
  const token = readStopToken(/class="receipt">([^<]+)</.exec(paper.text)?.[1] ?? '') ?? ''
  const askedAt = clock.now - 75 * 60 * MINUTE
  await context.store.bookkeep((tx) =>
    applyOrderedStop(tx, context, {
      version: 1,
      message: messageId('m-1'),
      at: clock.now,
      type: 'stop-ordered',
      stop: stopId('stop-by-phone'),
      handle: handleOf(token),
      patients: [],
      tracks: null,
      requester: 'person',
      askedAt,
      erasureAsked: false,
    }),
  )
  const tasks = await clerk.get('/tasks')
  expect(tasks.text).toContain('認定事業者')
  expect(tasks.text).toContain('3日')
  expect(tasks.text).toContain('やること 1件')
  const page = await clerk.get(path)
  expect(page.text).toContain('すでに停止中です')
  expect((await clerk.get(`${path}/slip/stop-by-phone`)).text).toContain('お渡しする用')
  await clerk.post(`${path}/slip/stop-by-phone/handed`, {})
  expect((await clerk.get('/tasks')).text).toContain('いまはありません。')
  expect((await clerk.post(`${path}/undo`, { kind: 'stop', id: 'stop-by-phone' })).text).toContain(
    '取り消せません',
  )
})

test('R3 the day: who did what for whom, undone marked, others’ work too', async () => {
  const { clerk, app } = await atTheDesk()
  await clerk.post(`${await clerk.open('123456')}/notice`, { to: 'person' })
  const other = new Clerk(app)
  await other.signIn('s-04')
  const child = await other.open('123458')
  await other.post(`${child}/notice`, { to: 'both' })
  await other.post(`${child}/stop`, { who: 'guardian', how: 'card', relation: '母' })
  const stop = other.path.split('/').at(-1) ?? ''
  await other.post(`${child}/undo`, { kind: 'stop', id: stop })
  const text = (await clerk.get('/today')).text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
  expect(text).toContain('通知 3件 ・ 停止 0件')
  expect(text).toContain('ヤマダ ケンタ 00123458 停止 保護者等 中村 取り消し済み')
  expect(text).toContain('ヤマダ ケンタ 00123458 通知 保護者等・手渡し 中村')
  expect(text).toContain('ヤマダ ハナコ 00123456 通知 本人・手渡し 佐藤')
})

test('R3 the script in the language asked for; the paper in it where it was published, else in Japanese', async () => {
  const { clerk, stateOf } = await atTheDesk()
  const path = await clerk.open('123456')
  expect((await clerk.get(path)).text).toContain('のぞまない方は、いつでも止められます。')
  const english = (await clerk.get(`${path}?lang=en`)).text
  expect(english).toContain('you can stop it at any time')
  expect(english).toContain('<blockquote class="quote" lang="en"')
  expect((await clerk.get(`${path}?lang=xx`)).text).toContain('のぞまない方は')
  const paper = await clerk.post(`${path}/notice`, { to: 'person', lang: 'en' })
  expect(paper.text).toContain('lang="ja"')
  expect((await stateOf(HANAKO)).notices).toHaveLength(1)
})

test('R8 T36 by post the clock starts at the assumed arrival; to somebody under protection nothing is posted', async () => {
  const { clerk, stateOf, context, clock } = await atTheDesk()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/notice`, { to: 'person', method: 'post' })
  const [posted] = (await stateOf(HANAKO)).notices
  expect(posted?.method).toBe('post')
  expect(posted?.deliveredAt).toBeGreaterThan(clock.now)
  await setProtection(context, { patient: KENTA, protected: true, by: 's-02' })
  const child = await clerk.open('123458')
  expect((await clerk.get(child)).text).not.toContain('value="post"')
  expect((await clerk.post(`${child}/notice`, { to: 'both', method: 'post' })).text).toContain(
    '支援措置の記録があるため',
  )
  expect((await stateOf(KENTA)).notices).toEqual([])
})
