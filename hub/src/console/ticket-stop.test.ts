import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { keepSaid } from '../requests/intake.ts'
import { takeStop } from '../requests/portal-stop.ts'
import type { AskedByNumber } from '../requests/queued.ts'
import { keepSlip } from '../requests/slips.ts'
import { openTicket } from '../requests/tickets.ts'
import { operatorRoom, PASSPHRASE, Visitor } from './world.fixture.ts'

const MIDORI = facilityId('midori-hospital')
const TICKET = 'queued:r-1'

const WITHOUT_PAPER: Omit<AskedByNumber, 'askedAt' | 'receipt'> = {
  ...{ version: 2, facility: MIDORI, number: '00099999', birthDate: '1950-01-01' },
  ...{ requester: 'person', erasureAsked: false },
}

/** What the portal sealed beyond its budget, as the vault takes it; `known`: by a number that is somebody's. */
async function desk(known = false) {
  const place = await operatorRoom()
  const { parts, clock } = place
  const said: AskedByNumber = {
    ...{ version: 2, facility: MIDORI, number: '00012345', birthDate: '1948-05-03', queued: true },
    ...{ requester: 'guardian', erasureAsked: true, askedAt: clock.now, receipt: 'ABCDE-FGHJK' },
  }
  const keep = (about: string, what: object) => keepSaid(parts.identity, about, what)
  const patients = known ? [patientKey(MIDORI, '00012345')] : []
  if (known) await takeStop(parts.vault, keep, { request: 'r-1', said, patients, by: 'portal' })
  const about = { ticket: TICKET, kind: 'stop', channel: 'web', stop: null, by: 'portal' } as const
  const words = { name: '', contact: '', text: '受付番号 ABCDE-FGHJK', asked: said }
  await openTicket(parts, parts.identity, { ...about, ...words })
  const visitor = new Visitor(place.app)
  await visitor.signIn('desk')
  const rows = (table: 'stop' | 'stop_delivery' | 'ticket' | 'portal_asked' | 'stop_intake') =>
    place.ops.db.selectFrom(table).selectAll().execute()
  return { ...place, visitor, rows }
}

const turn = async (place: Awaited<ReturnType<typeof desk>>) => {
  await place.visitor.get(`/tickets/${TICKET}`)
  return place.visitor.post(`/tickets/${TICKET}/stop`, {})
}

test('R16 a ticket of kind stop becomes a provisional stop at one press, and that hospital alone is told', async () => {
  const place = await desk()
  const ticket = await place.visitor.get(`/tickets/${TICKET}`)
  for (const text of ['midori-hospital', '00012345', '1948年5月3日', '保護者', 'この内容で停止する'])
    expect(ticket.text).toContain(text)
  const page = await turn(place)
  expect(page.text).toContain('停止として受け付けました')
  expect(await place.rows('stop')).toMatchObject([
    {
      ...{ stop: 'portal:r-1', origin: 'portal', standing: 'provisional', requester: 'guardian' },
      receipt: 'ABCDE-FGHJK',
    },
  ])
  expect((await place.rows('stop_delivery')).map((one) => 'agent' in one && one.agent)).toEqual(['midori'])
  expect(await place.rows('ticket')).toMatchObject([{ stop: 'portal:r-1', answered_by: 'desk' }])
  // from now on whoever asked sees how far it came
  expect(await place.rows('portal_asked')).toHaveLength(1)
  // nothing is erased by it; the person is verified, with both factors, where every stop is
  expect(
    await place.ops.db.selectFrom('erasure').selectAll().where('stop', 'is not', null).execute(),
  ).toEqual([])
  const path = '/stops/portal%3Ar-1/verify'
  expect((await place.visitor.post(path, { how: 'call-back' })).status).toBe(422)
  const proof = { how: 'call-back', passphrase: PASSPHRASE, code: place.codeOf('desk') }
  expect((await place.visitor.post(path, proof)).text).toContain('本人の確認を記録しました')
})

test('R16 pressed twice, by two, or for no such ticket: one stop', async () => {
  const place = await desk()
  await turn(place)
  expect((await place.visitor.post(`/tickets/${TICKET}/stop`, {})).status).toBe(403)
  expect((await place.visitor.post('/tickets/nothing/stop', {})).status).toBe(404)
  expect(await place.rows('stop')).toHaveLength(1)
})

test('R17 T30 whether the number is somebody’s is on no page, in no list and in no count before staff have looked', async () => {
  const seen: string[] = []
  for (const known of [true, false]) {
    const place = await desk(known)
    expect(await place.rows('stop')).toHaveLength(known ? 1 : 0)
    place.clock.now += 30 * 3_600_000
    await place.visitor.signIn('desk')
    const pages = []
    for (const path of ['/', '/tickets', `/tickets/${TICKET}`, '/stops', '/stops/portal%3Ar-1'])
      pages.push(await place.visitor.get(path))
    expect(pages.some(({ text }) => text.includes('portal:r-1'))).toBe(false)
    pages.push(await turn(place), await place.visitor.get('/stops'))
    expect(pages.at(-1)?.text).toContain('portal:r-1')
    seen.push(pages.map(({ status, text }) => `${status} ${text}`).join('\n'))
  }
  const [known, unknown] = seen.map((text) => text.replaceAll(/name="csrf" value="[^"]+"/g, ''))
  expect(known).toBe(unknown)
})

test('R17 T30 nor does its place in the list tell it afterwards: it stands by when it was asked', async () => {
  const seen = []
  for (const known of [true, false]) {
    const place = await desk(known)
    place.clock.now += 60_000
    const between = { ...WITHOUT_PAPER, askedAt: place.clock.now, receipt: 'ZZZZZ-ZZZZZ' }
    const keep = (about: string, what: object) => keepSaid(place.parts.identity, about, what)
    await takeStop(place.parts.vault, keep, { request: 'r-2', said: between, patients: [], by: 'portal' })
    place.clock.now += 60_000
    await turn(place)
    const { text } = await place.visitor.get('/stops')
    seen.push(text.match(/portal:r-\d/g))
  }
  expect(seen).toEqual([
    ['portal:r-2', 'portal:r-1'],
    ['portal:r-2', 'portal:r-1'],
  ])
})

test('R45 R16 from any other ticket the desk goes on to a stop by name, and both are linked', async () => {
  const place = await desk()
  const about = { kind: 'question', channel: 'web', stop: null, by: 'portal' } as const
  await openTicket(place.parts, place.parts.identity, {
    ...{ ...about, ticket: 'q-1', name: '', contact: '', text: '止めてください' },
  })
  const ticket = await place.visitor.get('/tickets/q-1')
  expect(ticket.text).toContain('href="/stops/new?ticket=q-1"')
  const form = await place.visitor.get('/stops/new?ticket=q-1')
  expect(form.text).toContain('name="ticket" value="q-1"')
  const wrong = await place.visitor.post('/stops/new', { ticket: 'q-1' })
  expect(wrong.text).toContain('name="ticket" value="q-1"')
  const filled = {
    ...{ ticket: 'q-1', channel: 'web', requester: 'person', requesterName: '山田 太郎' },
    ...{ kana: 'ヤマダ タロウ', how: 'none', track: 'both', erase: 'no' },
  }
  expect((await place.visitor.post('/stops/new', filled)).text).toContain('停止しました')
  const [stop] = await place.rows('stop')
  const linked = await place.ops.db.selectFrom('ticket').selectAll().where('ticket', '=', 'q-1').execute()
  expect(linked).toMatchObject([{ stop: stop && 'stop' in stop ? stop.stop : '', answered_at: null }])
})

test('R13 R16 T25 the desk sees at which hospital the document is out, and of an unverified caller’s stop nothing', async () => {
  const place = await desk()
  await turn(place)
  const stop = 'portal:r-1'
  const said = { stop, patients: [], document: 'K-1' } as never as Parameters<typeof keepSlip>[2]
  const report = (move: 'posted' | 'bounced' | 'handed', movedAt: number) =>
    place.ops.bookkeep((tx) => keepSlip(tx, MIDORI, { ...said, move, movedAt }, place.clock.now))
  const page = async () => (await place.visitor.get('/stops/portal%3Ar-1')).text
  await report('posted', 1_000)
  expect(await page()).toContain('本人の確認のあとに見られます')
  expect(await page()).not.toContain('郵送した')
  const proof = { how: 'seen', passphrase: PASSPHRASE, code: place.codeOf('desk') }
  await place.visitor.post('/stops/portal%3Ar-1/verify', proof)
  expect(await page()).toContain('郵送した')
  await report('bounced', 3_000)
  expect(await page()).toContain('渡し直しが必要です')
  // an older word that comes late changes nothing
  await report('handed', 2_000)
  expect(await page()).toContain('渡し直しが必要です')
})
