import { decidePatient, openGate } from '@kakehashi/agent/gate/flow'
import { openNameStops } from '@kakehashi/agent/register/name-stop'
import { pendingBackdates } from '@kakehashi/agent/register/notice'
import { patientStateOf } from '@kakehashi/agent/register/read'
import { openSlips } from '@kakehashi/agent/register/slip'
import { expect, test } from 'vitest'
import { chart, DAY, pass, person, ready, result } from './agent-world.ts'
import { onList } from './owed-lists.ts'

/** LAW §2 over the register's verbs: the document of Art. 53, who may ask and take back, and what needs two people. */

const HOUR = 3_600_000

test('T24 electronic document: only to who agreed before it is issued, and not after they took that back', async () => {
  using w = await ready()
  const { register } = w.agent
  const { stop, slip } = await register.recordStop({ patient: chart('0001'), by: 'desk' })
  const send = () => register.handSlip({ number: slip.number, by: 'desk', how: 'electronic' })
  const refused = { refusal: { code: 'NOT_ALLOWED', place: 'electronic' } }
  await expect(send()).rejects.toMatchObject(refused)
  await register.agreeElectronicSlip({ stop, agreed: true, by: 'desk' })
  await register.agreeElectronicSlip({ stop, agreed: false, by: 'desk' })
  await expect(send()).rejects.toMatchObject(refused)
  expect(await openSlips(w.store.db, w.clock.now)).toHaveLength(1)
  await register.agreeElectronicSlip({ stop, agreed: true, by: 'desk' })
  await send()
  expect(await openSlips(w.store.db, w.clock.now)).toHaveLength(0)
  await register.bounceSlip({ number: slip.number, by: 'desk' })
  await pass(w, HOUR)
  expect(await openSlips(w.store.db, w.clock.now)).toMatchObject([{ ageMs: HOUR }])
  await register.handSlip({ number: slip.number, by: 'desk' })
  const moves = await w.store.db
    .selectFrom('register_event')
    .select('body')
    .where('type', '=', 'slip-moved')
    .orderBy('seq')
    .execute()
  expect(moves.map((row) => JSON.parse(row.body).move)).toEqual(['opened', 'electronic', 'bounced', 'handed'])
})

test('T36 address of the letter: under protection nothing goes to the address in the chart', async () => {
  using w = await ready()
  const { register } = w.agent
  await register.setProtection({ patient: chart('0001'), protected: true, by: 'office' })
  const { slip } = await register.recordStop({ patient: chart('0001'), by: 'desk' })
  await expect(register.handSlip({ number: slip.number, by: 'desk', how: 'posted' })).rejects.toMatchObject({
    refusal: { code: 'NOT_ALLOWED', place: 'address' },
  })
  await register.handSlip({ number: slip.number, by: 'desk', how: 'posted', addressAgreed: true })
  await register.setProtection({ patient: chart('0002'), protected: true, by: 'office' })
  w.write('Patient.ndjson', [person('0001'), person('0002'), person('0003'), person('0009')])
  await w.agent.gather()
  await register.setProtection({ patient: chart('0009'), protected: true, by: 'office' })
  expect(await onList(w.agent.context)).toMatchObject([
    { patient: chart('0009'), owed: [{ why: 'first' }], noLetter: true },
  ])
})

test('R15 the copy of the document stays as it was, whatever is erased or undone later', async () => {
  using w = await ready()
  const { register } = w.agent
  const { stop, slip } = await register.recordStop({ patient: chart('0001'), by: 'desk', erasureAsked: true })
  const copy = async () => (await w.store.db.selectFrom('slip').selectAll().executeTakeFirstOrThrow()).body
  const before = await copy()
  await register.handSlip({ number: slip.number, by: 'desk' })
  await register.askErasure({ patient: chart('0001'), stop, by: 'desk' })
  await register.undoStop({ stop, by: 'desk' })
  expect(await copy()).toBe(before)
  expect(JSON.parse(before)).toMatchObject({
    number: slip.number,
    stop,
    entity: { name: '医療法人みどり会' },
  })
})

test('R12 chart not found: every chart of that name is stopped at once, later ones at first sight, until two people settle it', async () => {
  using w = await ready()
  const { register } = w.agent
  const named = (number: string, kana: string, birthDate = '1950-06-01') => ({
    ...person(number, birthDate),
    name: [
      {
        extension: [
          {
            url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation',
            valueCode: 'SYL',
          },
        ],
        text: kana,
      },
    ],
  })
  const people = [
    named('0001', 'ヤマダ ハナコ'),
    named('0002', 'スズキ イチロウ'),
    named('0003', 'ヤマダ ハナコ', '1999-01-01'),
  ]
  w.write('Patient.ndjson', people)
  await w.agent.gather()
  const asked = await register.recordNameStop({
    name: '',
    kana: 'やまだ はなこ',
    birthDate: '1950-06-01',
    requester: 'person',
    by: 'desk',
  })
  expect(asked.candidates).toEqual([chart('0001')])
  expect(await openSlips(w.store.db, w.clock.now)).toMatchObject([{ slip: { number: asked.slip.number } }])
  w.write('Patient.ndjson', [...people, named('0007', 'ﾔﾏﾀﾞ ﾊﾅｺ')])
  await w.agent.gather()
  expect((await openNameStops(w.store.db))[0]?.candidates).toEqual([chart('0001'), chart('0007')])
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'STOPPED', patients: 2 }])
  const settle = { stop: asked.stop, outcome: 'found', patient: chart('0007'), by: 'desk' } as const
  await expect(register.settleNameStop(settle)).rejects.toMatchObject({ refusal: { place: 'approvedBy' } })
  await expect(register.settleNameStop({ ...settle, approvedBy: 'desk' })).rejects.toMatchObject({
    refusal: { place: 'approvedBy' },
  })
  expect(await register.settleNameStop({ ...settle, approvedBy: 'office' })).toEqual({
    stopped: [chart('0007')],
    freed: [chart('0001')],
  })
  const standing = async (n: string) =>
    (await patientStateOf(w.store.db, chart(n))).stops.map((s) => s.standing)
  expect([await standing('0001'), await standing('0007')]).toEqual([['undone'], ['confirmed']])
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'STOPPED', patients: 1 }])
  await w.agent.exchange()
  const told = (await w.vault.hear(w.agent)).filter((said) => said.type.startsWith('stop-'))
  const open = new Map<string, string[]>()
  for (const said of told)
    if (said.type === 'stop-reported') open.set(said.stop, said.patients)
    else if (said.type === 'stop-withdrawn-reported') open.delete(said.stop)
  expect([...open]).toEqual([[asked.stop, [chart('0007')]]])
})

test('R16 R17 unverified caller: held provisionally at once, confirmed after verification, dismissed only by two', async () => {
  using w = await ready()
  const { register } = w.agent
  const call = { by: 'desk', standing: 'provisional', channel: 'phone', identityCheck: 'none' } as const
  const first = await register.recordStop({ patient: chart('0001'), ...call })
  const second = await register.recordStop({ patient: chart('0002'), ...call, requester: 'agent' })
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'STOPPED', patients: 2 }])
  await register.confirmStop({ stop: first.stop, identityCheck: 'document', by: 'desk' })
  const dismiss = (stop: typeof first.stop, approvedBy: string) =>
    register.dismissStop({ stop, reason: 'impostor', approvedBy, by: 'desk' })
  await expect(dismiss(first.stop, 'office')).rejects.toMatchObject({ refusal: { code: 'NOT_ALLOWED' } })
  await expect(dismiss(second.stop, 'desk')).rejects.toMatchObject({ refusal: { place: 'approvedBy' } })
  await dismiss(second.stop, 'office')
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'STOPPED', patients: 1 }])
})

test('R18 everything LAW §2.7 asks to be kept of a stop is in its event', async () => {
  using w = await ready()
  const receivedAt = w.clock.now - 5 * HOUR
  const { stop, slip } = await w.agent.register.recordStop({
    patient: chart('0001'),
    by: 'desk',
    requester: 'guardian',
    requesterName: '山田 母',
    relation: '母',
    identityCheck: 'document',
    identityCheckedBy: 'desk-2',
    channel: 'post',
    receivedAt,
    hospitals: 'all',
    futureHospitals: true,
    tracks: ['ANON'],
    erasureAsked: true,
    device: 'pc-3',
  })
  const row = await w.store.db
    .selectFrom('register_event')
    .select('body')
    .where('type', '=', 'stop-asked')
    .executeTakeFirstOrThrow()
  expect(JSON.parse(row.body)).toMatchObject({
    stop,
    recordedAt: w.clock.now,
    receivedAt,
    channel: 'post',
    by: 'desk',
    requester: 'guardian',
    requesterName: '山田 母',
    relation: '母',
    identityCheck: 'document',
    identityCheckedBy: 'desk-2',
    patient: chart('0001'),
    hospitals: 'all',
    futureHospitals: true,
    tracks: ['ANON'],
    operators: null,
    erasureAsked: true,
    standing: 'confirmed',
    device: 'pc-3',
  })
  expect(slip.askedAt).toBe(receivedAt)
  expect((await openSlips(w.store.db, w.clock.now))[0]?.ageMs).toBe(5 * HOUR)
})

test('R3 everything LAW §1.7 asks to be kept of a notice is in its event', async () => {
  using w = await ready()
  await w.agent.register.recordNotice({
    patient: chart('0001'),
    by: 'desk',
    recipients: ['guardian'],
    recipientName: '山田 父',
    relation: '父',
    evidence: 'job 7',
    device: 'kiosk-1',
    correctionOf: 'n-0' as never,
  })
  const row = await w.store.db
    .selectFrom('register_event')
    .select('body')
    .where('type', '=', 'notice-given')
    .orderBy('seq', 'desc')
    .executeTakeFirstOrThrow()
  expect(JSON.parse(row.body)).toMatchObject({
    entity: 'midorikai',
    patient: chart('0001'),
    track: 'ANON',
    operators: ['op-1'],
    templateVersion: 1,
    templateHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    language: 'ja',
    filing: 'filing-1',
    recipient: 'guardian',
    recipientName: '山田 父',
    relation: '父',
    method: 'handed',
    issuedAt: w.clock.now,
    deliveredAt: w.clock.now,
    evidence: 'job 7',
    ageAtNotice: 75,
    capacityAtNotice: 'able',
    by: 'desk',
    device: 'kiosk-1',
    correctionOf: 'n-0',
  })
})

test('R3 a sheet taken by somebody who is neither the person nor a guardian is kept and counts for nothing', async () => {
  using w = await ready()
  w.write('Patient.ndjson', [person('0009')])
  w.write('Observation.ndjson', [result('0009', 'o9')])
  await w.agent.gather()
  await w.agent.register.recordNotice({
    patient: chart('0009'),
    by: 'desk',
    recipients: ['other'],
    relation: '隣人',
  })
  await pass(w, 60 * DAY)
  expect((await patientStateOf(w.store.db, chart('0009'))).notices).toEqual([])
  expect(await onList(w.agent.context, 'owed-first')).toMatchObject([{ patient: chart('0009') }])
})

test('T15 backdating: an earlier date waits for a second person, who sees the evidence; until then it is today’s', async () => {
  using w = await ready()
  w.write('Patient.ndjson', [person('0009')])
  w.write('Observation.ndjson', [result('0009', 'o9')])
  await w.agent.gather()
  const { register, context } = w.agent
  const asked = { patient: chart('0009'), by: 'desk', deliveredAt: w.clock.now - 36 * DAY }
  const done = await register.recordNotice(asked)
  expect(done).toMatchObject({ datedAsAsked: false, deliveredAt: w.clock.now })
  const [pending] = await pendingBackdates(w.store.db)
  expect(pending).toMatchObject({ patient: chart('0009'), saidDeliveredAt: asked.deliveredAt })
  const approve = (by: string, evidence: string) =>
    register.approveBackdate({ notice: done.notices[0]!, by, evidence })
  await expect(approve('desk', 'copy 12')).rejects.toMatchObject({ refusal: { place: 'approvedBy' } })
  await expect(approve('officer', ' ')).rejects.toMatchObject({ refusal: { place: 'approvedBy' } })
  const code = async () =>
    (await decidePatient(w.store.db, context, chart('0009'), await openGate(w.store.db, context))).code
  expect(await code()).toBe('WAITING')
  await approve('officer', 'copy 12')
  expect(await code()).toBe(null)
  expect(await pendingBackdates(w.store.db)).toEqual([])
})

test('R21 withdrawal: not a relative, not under another name', async () => {
  using w = await ready()
  const { register } = w.agent
  const stopped = await register.recordStop({
    patient: chart('0001'),
    by: 'desk',
    requesterName: '山田 花子',
  })
  const withdraw = (requester: 'person' | 'family', requesterName: string) =>
    register.withdrawStop({ stop: stopped.stop, by: 'desk', requester, requesterName })
  await expect(withdraw('family', '山田 花子')).rejects.toMatchObject({ refusal: { place: 'withdrawal' } })
  await expect(withdraw('person', '山田 太郎')).rejects.toMatchObject({ refusal: { place: 'withdrawal' } })
  await withdraw('person', '山田 花子')
  expect(await onList(w.agent.context)).toMatchObject([
    { patient: chart('0001'), owed: [{ why: 'stop-withdrawn' }] },
  ])
})
