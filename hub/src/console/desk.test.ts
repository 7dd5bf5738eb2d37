import type { AskedPerson } from '@kakehashi/protocol/messages'
import { elsewhereStop, facilityId, patientKey, stopId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { readSaid, takeNamedStop } from '../requests/intake.ts'
import { leaveStop } from '../requests/left-stop.ts'
import { operatorRoom, PASSPHRASE, Visitor } from './world.fixture.ts'

const PERSON = {
  channel: 'phone',
  requester: 'person',
  requesterName: '山田 太郎',
  kana: 'ヤマダ タロウ',
  name: '山田 太郎',
  born: 'S23.5.3',
  number: '',
  contact: '横浜市の娘の家',
  relation: '',
  track: 'both',
  erase: 'no',
  how: 'none',
}
const HOUR = 3_600_000

async function desk(account = 'desk') {
  const place = await operatorRoom()
  const visitor = new Visitor(place.app)
  await visitor.signIn(account)
  const take = async (form: Record<string, string | string[]> = {}) => {
    await visitor.get('/stops/new')
    return visitor.post('/stops/new', { ...PERSON, ...form })
  }
  const leaves = async () => {
    const rows = await place.ops.db.selectFrom('audit_leaf').select('leaf').orderBy('seq').execute()
    return rows.map(({ leaf }) => JSON.parse(new TextDecoder().decode(leaf)))
  }
  const enter = async (who: string) => {
    const other = new Visitor(place.app)
    await other.signIn(who)
    return other
  }
  return { ...place, visitor, take, leaves, enter }
}

/** Somebody the vault knows, from one hospital. */
async function known(place: Awaited<ReturnType<typeof desk>>): Promise<string> {
  const { kanaCode } = await import('../linkage/normalise.ts')
  const patient = patientKey(facilityId('midori-hospital'), '00012345')
  await place.parts.identity.bookkeep((tx) =>
    tx
      .insertInto('identity_patient')
      .values({
        patient,
        facility: 'midori-hospital',
        kana_family: kanaCode('ヤマダ'),
        kana_given: kanaCode('タロウ'),
        kanji_family: null,
        kanji_given: null,
        birth_date: '1948-05-03',
        sex: 'male',
        postal: null,
        phones: '',
        state: null,
        placeholder: 0,
        multiple_birth: 0,
        normaliser: 'kana-1',
        changed_at: 0,
        placed: 0,
      })
      .execute(),
  )
  return patient
}

/** A page without what differs from visit to visit. */
function told(text: string, stop: string): string {
  return text.replaceAll(stop, 'STOP').replace(/name="csrf" value="[^"]+"/g, '')
}

async function newest(place: Awaited<ReturnType<typeof desk>>) {
  const rows = await place.ops.db.selectFrom('stop').selectAll().execute()
  return rows.at(-1)!
}

test('R16 a stop by phone is in force at once, goes to every hospital when none is named, and is shown per hospital', async () => {
  const place = await desk()
  const chart = await known(place)
  const page = await place.take()
  expect(page.text).toContain('停止しました')
  const stop = await newest(place)
  expect(stop).toMatchObject({
    origin: 'operator',
    standing: 'provisional',
    tracks: null,
    requester: 'person',
  })
  const charts = await place.ops.db.selectFrom('stop_chart').select(['stop', 'patient']).execute()
  expect(charts).toEqual([{ stop: stop.stop, patient: chart }])
  const sent = await place.ops.db.selectFrom('stop_delivery').selectAll().execute()
  expect(sent.map((one) => one.agent)).toEqual(['aoba', 'midori'])
  expect(page.text.match(/送信待ち/g)).toHaveLength(2)
  const { message } = sent[0]!
  await place.ops.bookkeep(async (tx) => {
    await tx
      .updateTable('outbox')
      .set({ pushed_at: place.clock.now })
      .where('message', '=', message)
      .execute()
    await tx
      .updateTable('stop_delivery')
      .set({ acked_at: place.clock.now + HOUR })
      .where('message', '=', sent[1]!.message)
      .execute()
  })
  const list = await place.visitor.get('/stops')
  expect(list.text).toContain('送信済み・適用の返事待ち')
  expect(list.text).toContain('適用済み')
})

test('R16 older than the set time, a stop that a hospital has not applied is work in words and marked late', async () => {
  const place = await desk()
  await place.take()
  place.clock.now += 25 * HOUR
  const home = await place.visitor.signIn('desk')
  expect(home.text).toContain('医療機関に届いていない停止が 1件')
  expect(home.text).toMatch(/今日することは \d 件/)
  const list = await place.visitor.get('/stops')
  expect(list.text).toContain('遅れ。医療機関に電話で確かめてください')
  expect(list.text).toContain('25時間')
})

test('R17 T30 the clerk’s screen is the same for a known and an unknown person, before verification', async () => {
  const pages: string[] = []
  for (const knows of [true, false]) {
    const place = await desk()
    if (knows) await known(place)
    const page = await place.take({ erase: 'yes' })
    const { stop } = await newest(place)
    expect(page.text).toContain('どなたにもお答えしていません')
    expect(page.text).not.toContain('00012345')
    const slip = await place.visitor.get(`/stops/${stop}/slip`)
    const list = await place.visitor.get('/stops')
    pages.push([page, slip, list].map((one) => told(one.text, stop)).join('\n'))
    const privacy = await place.enter('privacy')
    expect((await privacy.get(`/stops/${stop}`)).text).not.toContain('00012345')
  }
  expect(pages[0]).toBe(pages[1])
})

test('R18 scope: broadest when unclear; a narrower one says what it does not cover', async () => {
  const place = await desk()
  const wide = await place.take({ track: '' })
  expect(wide.text).toContain('すべての医療機関')
  expect(wide.text).toContain('後から加わる医療機関')
  expect((await newest(place)).tracks).toBeNull()
  const narrow = await place.take({ track: 'ANON', facility: ['aoba-hospital'] })
  expect(narrow.text).toContain('えらばなかった医療機関（midori-hospital）からの提供')
  expect(narrow.text).toContain('仮名加工のための提供')
  expect(narrow.text).toContain('取り戻せません')
  const { stop } = await newest(place)
  const sent = await place.ops.db.selectFrom('stop_delivery').selectAll().where('stop', '=', stop).execute()
  expect(sent.map((one) => one.agent)).toEqual(['aoba'])
})

test('R16 verified later: confirmed with step-up, told to the hospitals, the same stop', async () => {
  const place = await desk()
  await place.take()
  const { stop } = await newest(place)
  const verify = (form: Record<string, string>) => place.visitor.post(`/stops/${stop}/verify`, form)
  expect((await verify({ how: 'none' })).status).toBe(422)
  expect((await verify({ how: 'call-back', passphrase: PASSPHRASE, code: '000000' })).status).toBe(422)
  expect((await newest(place)).standing).toBe('provisional')
  const right = { how: 'call-back', passphrase: PASSPHRASE, code: place.codeOf('desk') }
  expect((await verify(right)).text).toContain('本人の確認を記録しました')
  expect((await newest(place)).standing).toBe('confirmed')
  expect((await verify({ ...right, code: place.codeOf('desk') })).status).toBe(403)
  const types = await place.ops.db.selectFrom('outbox').select('type').execute()
  expect(types.filter((one) => one.type === 'stop-ordered')).toHaveLength(4)
})

test('R21 asked at a hospital’s counter for the others: the desk says where, and ends it only after it was taken back there', async () => {
  const place = await desk()
  const person = { name: '山田 太郎', kana: 'ヤマダ タロウ', birthDate: '1948-05-03', number: null }
  const stop = await takeNamedStop(place.parts.vault, place.parts.identity, {
    person: { ...person, requesterName: '山田 太郎', relation: null, contact: null },
    requester: 'person',
    channel: 'desk',
    facilities: null,
    tracks: null,
    identityCheck: 'none',
    erasureWanted: false,
    stop: elsewhereStop(stopId('s-1')),
    asking: { agent: 'midori', facility: 'midori-hospital' },
    by: 'midori',
  })
  const page = await place.visitor.get(`/stops/${stop}`)
  expect(page.text).toContain('midori-hospital の窓口（ほかの病院の分）')
  expect(page.text).not.toContain('撤回')
  const end = () =>
    place.visitor.post(`/stops/${stop}/end`, { passphrase: PASSPHRASE, code: place.codeOf('desk') })
  expect((await end()).status).toBe(403)
  await place.ops.bookkeep((tx) =>
    leaveStop(tx, 'midori-hospital', { stop, withdrawnAt: place.clock.now - HOUR }),
  )
  expect((await place.visitor.get('/')).text).toContain('ほかの病院の停止が 1件')
  const taken = await place.visitor.get(`/stops/${stop}`)
  expect(taken.text).toContain('midori-hospital の窓口で本人を確かめ')
  const wrong = await place.visitor.post(`/stops/${stop}/end`, { passphrase: PASSPHRASE, code: '000000' })
  expect(wrong.status).toBe(422)
  expect((await newest(place)).standing).toBe('provisional')
  expect((await end()).text).toContain('撤回を記録しました')
  expect((await newest(place)).standing).toBe('withdrawn')
  expect((await place.leaves()).filter((one) => one.act === 'stop.withdrawn')).toHaveLength(1)
})

test('ASVS 2.3.1, 2.3.5 R20 erasure: not before verification, not by who verified, only of charts of the stop', async () => {
  const place = await desk('privacy')
  const chart = await known(place)
  await place.take({ erase: 'yes' })
  const { stop } = await newest(place)
  const proof = (who: string) => ({ passphrase: PASSPHRASE, code: place.codeOf(who) })
  const early = await place.visitor.post(`/stops/${stop}/erase`, { chart, ...proof('privacy') })
  expect(early.status).toBe(403)
  await place.visitor.post(`/stops/${stop}/verify`, { how: 'document', ...proof('privacy') })
  const own = await place.visitor.post(`/stops/${stop}/erase`, { chart, ...proof('privacy') })
  expect(own.status).toBe(403)
  expect(await place.ops.db.selectFrom('tombstone').selectAll().execute()).toEqual([])
  await place.ops.bookkeep((tx) => tx.updateTable('stop_intake').set({ verified_by: 'desk' }).execute())
  const page = await place.visitor.get(`/stops/${stop}`)
  expect(page.text).toContain(chart)
  const other = 'midori-hospital/99999999'
  expect(
    (await place.visitor.post(`/stops/${stop}/erase`, { chart: other, ...proof('privacy') })).status,
  ).toBe(409)
  const done = await place.visitor.post(`/stops/${stop}/erase`, { chart, ...proof('privacy') })
  expect(done.text).toContain('削除を始めました')
  expect(await place.ops.db.selectFrom('tombstone').selectAll().execute()).toHaveLength(1)
})

test('R45 questions: anonymous too, a day by which to answer, the answer kept as given, linked to a stop', async () => {
  const place = await desk()
  await place.take()
  const { stop } = await newest(place)
  await place.visitor.get('/tickets/new')
  const asked = {
    kind: 'complaint',
    channel: 'phone',
    name: '',
    contact: '',
    text: '説明が足りない',
    stop: 'x',
  }
  expect((await place.visitor.post('/tickets/new', asked)).status).toBe(422)
  const page = await place.visitor.post('/tickets/new', { ...asked, stop })
  expect(page.text).toContain('（名前なし）')
  expect(page.text).toContain(`/stops/${stop}`)
  expect(page.text).toContain('2026年12月9日')
  const row = (await place.ops.db.selectFrom('ticket').selectAll().execute())[0]!
  expect((await place.visitor.get('/')).text).toContain('答えていない質問・苦情が 1件')
  place.clock.now += 15 * 24 * HOUR
  expect((await place.visitor.signIn('desk')).text).toContain('期限を過ぎた質問・苦情が 1件')
  await place.visitor.get(`/tickets/${row.ticket}`)
  const answered = await place.visitor.post(`/tickets/${row.ticket}/answer`, { answer: '書面で説明した' })
  expect(answered.text).toContain('書面で説明した')
  const twice = await place.visitor.post(`/tickets/${row.ticket}/answer`, { answer: '別の答え' })
  expect(twice.status).toBe(403)
})

test('ASVS 14.2.1, 14.2.6 R46 names: in no address, no audit leaf and no operations table; every look is logged; auditors see none', async () => {
  const place = await desk()
  await place.take()
  const { stop } = await newest(place)
  expect((await readSaid<AskedPerson>(place.parts.identity, stop))?.name).toBe('山田 太郎')
  const tables = ['stop', 'stop_intake', 'stop_name', 'stop_delivery', 'outbox'] as const
  for (const table of tables) {
    const kept = JSON.stringify(await place.ops.db.selectFrom(table).selectAll().execute())
    expect(kept).not.toMatch(/山田|ヤマダ|1948-05-03/)
  }
  const all = JSON.stringify(await place.leaves())
  expect(all).not.toMatch(/山田|ヤマダ|横浜/)
  const looks = async () => (await place.leaves()).filter((one) => one.act === 'person.seen').length
  const before = await looks()
  await place.visitor.get(`/stops/${stop}`)
  expect(await looks()).toBe(before + 1)
  const auditor = await place.enter('auditor')
  const seen = await auditor.get(`/stops/${stop}`)
  expect(seen.text).toContain('受付の職員だけが見られます')
  expect(seen.text).not.toMatch(/山田|ヤマダ/)
})
