import { noticeId, patientKey, stopId } from '@kakehashi/protocol/ids'
import type { BatchContent } from '@kakehashi/protocol/records'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { facilityFacts, notice, patientState, type HospitalHand } from '../hospital.fixture.ts'
import { clearIncident } from '../vault/incident.ts'

/**
 * The second gate apart from the first: the hospital's hand below seals and signs whatever it is told, as an agent
 * would that has lost its gate, and the vault refuses each with its code.
 */
const worlds: HubWorld[] = []
async function world(start?: string): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld(start)
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  return { hub, hand }
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function verdict(hub: HubWorld, hand: HospitalHand, content: BatchContent): Promise<RefusalCode[]> {
  const sent = await hand.send(content)
  await hub.vault.round()
  const receipt = await hand.receiptOf(sent.header.batch)
  return receipt?.refusals.map((refusal) => refusal.code) ?? []
}

async function kept(hub: HubWorld): Promise<{ content: number; identity: number }> {
  const content = await hub.ops.db.selectFrom('content_record').select('record').execute()
  const identity = await hub.identity.db.selectFrom('identity_patient').select('patient').execute()
  return { content: content.length, identity: identity.length }
}

const NOTHING = { content: 0, identity: 0 }

test('T9 filing missing: a batch forged over it is refused by the operator with NOT_FILED, and an incident opens', async () => {
  const { hub, hand } = await world()
  await hand.declare({ filings: [] })
  await hub.vault.round()
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '0001')))
  expect(codes).toEqual(['NOT_FILED'])
  expect(await kept(hub)).toEqual(NOTHING)
  expect(await hub.ops.db.selectFrom('incident').select(['kind', 'severity']).execute()).toEqual([
    { kind: 'unnotified-data', severity: 1 },
  ])
})

test('T9 a batch that claims a filing the facility never declared is refused with EVIDENCE_MISMATCH', async () => {
  const { hub, hand } = await world()
  await hand.declare({ filings: [] })
  await hub.vault.round()
  hand.facts = facilityFacts(hand.facility)
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '0001')))
  expect(codes).toEqual(['EVIDENCE_MISMATCH'])
  expect(await kept(hub)).toEqual(NOTHING)
})

test('a batch of somebody still waiting is refused with WAITING by the vault’s own calendar', async () => {
  const { hub, hand } = await world()
  const late = notice({ deliveredAt: Date.parse('2026-06-10T09:00:00+09:00') })
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '1', { notices: [late] })))
  expect(codes).toEqual(['WAITING'])
  expect(await kept(hub)).toEqual(NOTHING)
  hub.env.set(Date.parse('2026-07-20T09:00:00+09:00'))
  const later = await verdict(hub, hand, hand.content(patientState(hand.facility, '1', { notices: [late] })))
  expect(later).toEqual([])
})

test('R26 R49 un-notified data: refused, severity 1 with its clock, intake of that facility stops until two people clear it', async () => {
  const { hub, hand } = await world()
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '0001', { notices: [] })))
  expect(codes).toEqual(['NOT_NOTIFIED'])
  expect(await kept(hub)).toEqual(NOTHING)
  const [incident] = await hub.ops.db.selectFrom('incident').selectAll().execute()
  expect(incident).toMatchObject({ severity: 1, kind: 'unnotified-data', facility: 'hospital-a' })
  expect(Number(incident?.opened_at)).toBe(hub.env.now())
  expect(await verdict(hub, hand, hand.content(patientState(hand.facility, '0002')))).toEqual([
    'FACILITY_SUSPENDED',
  ])
  const id = incident?.incident ?? ''
  const reason = '抽出設定の誤りを直した'
  expect(await clearIncident(hub.ops, { incident: id, by: ['a', 'a'], reason })).toBe(false)
  expect(await clearIncident(hub.ops, { incident: id, by: ['a', 'b'], reason: ' ' })).toBe(false)
  expect(await clearIncident(hub.ops, { incident: id, by: ['a', 'b'], reason })).toBe(true)
  expect(await verdict(hub, hand, hand.content(patientState(hand.facility, '0002')))).toEqual([])
})

test('one patient refused does not take the others along', async () => {
  const { hub, hand } = await world()
  const waits = notice({ deliveredAt: Date.parse('2026-06-25T09:00:00+09:00') })
  const sent = await hand.send(
    hand.content(
      patientState(hand.facility, '0001'),
      patientState(hand.facility, '0002', { notices: [waits] }),
    ),
  )
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toMatchObject({
    outcome: 'partly',
    accepted: 2,
    refusals: [{ code: 'WAITING', patient: 'hospital-a/0002', record: null }],
  })
  expect(await kept(hub)).toEqual({ content: 2, identity: 1 })
})

test('a record without evidence of its patient refuses the whole batch with EVIDENCE_MISSING', async () => {
  const { hub, hand } = await world()
  const content = hand.content(patientState(hand.facility, '0001'))
  content.records.push(...hand.records(patientState(hand.facility, '0002')))
  expect(await verdict(hub, hand, content)).toEqual(['EVIDENCE_MISSING'])
  expect(await kept(hub)).toEqual(NOTHING)
})

test('a clinical record that names no patient refuses the batch; a ward or a drug may be about nobody', async () => {
  const { hub, hand } = await world()
  const content = hand.content(patientState(hand.facility, '0001'))
  const [patient] = content.records
  const nameless = { ...content.records[1]!, patients: [] }
  const ward = {
    ...nameless,
    key: { ...nameless.key, type: 'Location', id: 'ward-1' },
    item: 'other' as const,
  }
  expect(await verdict(hub, hand, { ...content, records: [patient!, ward] })).toEqual([])
  expect(await verdict(hub, hand, { ...content, records: [patient!, nameless] })).toEqual([
    'EVIDENCE_MISSING',
  ])
})

test('records of another facility’s patient refuse the batch with FACILITY_UNKNOWN', async () => {
  const { hub, hand } = await world()
  await hub.enrol('hospital-b')
  const foreign = hand.content(patientState(hand.facility, '0001'))
  const other = patientKey('hospital-b' as never, '77')
  foreign.records.push({
    ...foreign.records[1]!,
    key: { source: 'emr', type: 'Observation', id: 'x' },
    patients: [other],
  })
  expect(await verdict(hub, hand, foreign)).toEqual(['FACILITY_UNKNOWN'])
  expect(await kept(hub)).toEqual(NOTHING)
})

test('a header for another facility is turned away at the gateway already', async () => {
  const { hub, hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')), {
    facility: 'hospital-b' as never,
  })
  const answer = await hand.upload(sealed.header.batch, sealed.bytes, sealed.digest)
  expect(JSON.parse(new TextDecoder().decode(answer.body))).toMatchObject({ code: 'FACILITY_UNKNOWN' })
  expect((await hub.vault.round()).batches.seen).toBe(0)
})

test('R25 T41 a proof whose notice version the facility does not declare: EVIDENCE_MISMATCH, quarantine, alarm, nothing linked', async () => {
  const { hub, hand } = await world()
  const facts = facilityFacts(hand.facility)
  const [v1] = facts.templates
  const v2 = { ...v1!, version: 2, hash: 'b'.repeat(64) }
  const filing = { ...facts.filings[0]!, templateVersion: 2 }
  await hand.declare({ templates: [v2], filings: [filing] })
  await hub.vault.round()
  hand.facts = facilityFacts(hand.facility, { templates: [v1!], filings: [filing] })
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '0001')))
  expect(codes).toEqual(['EVIDENCE_MISMATCH'])
  expect(await kept(hub)).toEqual(NOTHING)
  expect(await hub.ops.db.selectFrom('quarantine').select(['code']).execute()).toEqual([
    { code: 'EVIDENCE_MISMATCH' },
  ])
  expect(await hub.ops.db.selectFrom('incident').select('kind').execute()).toEqual([
    { kind: 'evidence-mismatch' },
  ])
})

test('R25 a proof with another text under a declared version is EVIDENCE_MISMATCH', async () => {
  const { hub, hand } = await world()
  const other = notice({ templateHash: 'c'.repeat(64) })
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '1', { notices: [other] })))
  expect(codes).toEqual(['EVIDENCE_MISMATCH'])
})

test('R25 a proof in the name of another legal person is EVIDENCE_MISMATCH', async () => {
  const { hub, hand } = await world()
  hand.facts = { ...hand.facts, entity: { ...hand.facts.entity, entity: 'entity-other' as never } }
  const codes = await verdict(hub, hand, hand.content(patientState(hand.facility, '0001')))
  expect(codes).toEqual(['EVIDENCE_MISMATCH'])
})

test('S4 the same version of a record with other content is DUPLICATE_CONFLICT; a new version replaces', async () => {
  const { hub, hand } = await world()
  const patient = patientState(hand.facility, '0001')
  const versioned = (value: string, version: string): BatchContent => {
    const content = hand.content(patient)
    const records = hand.records(patient, value).map((record) => ({ ...record, sourceVersion: version }))
    return { ...content, records: [records[1]!] }
  }
  expect(await verdict(hub, hand, versioned('6.1', '1'))).toEqual([])
  expect(await verdict(hub, hand, versioned('6.1', '1'))).toEqual([])
  expect(await verdict(hub, hand, versioned('9.9', '1'))).toEqual(['DUPLICATE_CONFLICT'])
  expect(await verdict(hub, hand, versioned('7.0', '2'))).toEqual([])
})

test('T37 eligibility never comes by linkage: un-notified X of A stays out although Y of B is the same human being', async () => {
  const { hub, hand } = await world()
  const other = await hub.enrol('hospital-b')
  await other.declare()
  await other.send(other.content(patientState(other.facility, 'Y')))
  await hand.send(hand.content(patientState(hand.facility, 'X', { notices: [] })))
  await hub.vault.round()
  const charts = await hub.identity.db.selectFrom('identity_patient').select('patient').execute()
  expect(charts).toEqual([{ patient: 'hospital-b/Y' }])
})

test('T12 the pseudonymized track without its own notice is refused at the operator with TRACK_NOT_NOTIFIED', async () => {
  const { hub, hand } = await world()
  await hub.ops.db.updateTable('operator_status').set({ tracks: '["ANON","PSEUDO"]' }).execute()
  const facts = facilityFacts(hand.facility)
  await hand.declare({
    filings: [...facts.filings, { ...facts.filings[0]!, filing: 'f-2' as never, track: 'PSEUDO' }],
  })
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')), { track: 'PSEUDO' })
  await hub.vault.round()
  expect((await hand.receiptOf(sent.header.batch))?.refusals).toMatchObject([{ code: 'TRACK_NOT_NOTIFIED' }])
})

test('T42 an operator whose certification was revoked accepts nothing', async () => {
  const { hub, hand } = await world()
  await hub.ops.db.updateTable('operator_status').set({ standing: 'revoked' }).execute()
  expect(await verdict(hub, hand, hand.content(patientState(hand.facility, '0001')))).toEqual([
    'OPERATOR_NOT_CERTIFIED',
  ])
})

test('R28 the record of receipt: date, hospital, address, representative as declared then, acquisition, per bundle', async () => {
  const { hub, hand } = await world()
  await hand.send(hand.content(patientState(hand.facility, '0001')))
  await hub.vault.round()
  await hand.declare({ entity: { ...hand.facts.entity, representative: '湊 次郎' } })
  await hand.send(hand.content(patientState(hand.facility, '0002')))
  await hub.vault.round()
  const rows = await hub.ops.db.selectFrom('receipt_record').selectAll().orderBy('representative').execute()
  expect(rows.map((row) => row.representative).toSorted()).toEqual(['港 一郎', '湊 次郎'].toSorted())
  expect(rows[0]).toMatchObject({
    facility: 'hospital-a',
    received_on: '2026-07-01',
    hospital: '医療法人みなと会',
    address: '神奈川県横浜市中区海岸通1',
    patients: 1,
    records: 2,
    items: '["identity","laboratory"]',
  })
  expect(rows[0]?.acquisition).toContain('通知')
})

test('a facility that declared nothing yet waits with its batch; after a day it is refused', async () => {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 1, waits: 1 })
  await hand.declare()
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 1, accepted: 1 })
  expect((await hand.receiptOf(sent.header.batch))?.outcome).toBe('accepted')
})

test('a vault whose clock was set back decides nothing until it is right again', async () => {
  const { hub, hand } = await world()
  await hand.send(hand.content(patientState(hand.facility, '0001')))
  await hub.vault.round()
  const right = hub.env.now()
  hub.env.set(right - 4 * 60_000)
  await hand.send(hand.content(patientState(hand.facility, '0002')))
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 1, waits: 1 })
  hub.env.set(right + 60_000)
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 1, accepted: 1 })
})

test('evidence twice for one patient, a stop inside the evidence and a hold are each refused', async () => {
  const { hub, hand } = await world()
  const stopped = patientState(hand.facility, '1', {
    stops: [
      {
        stop: stopId('s-1'),
        tracks: null,
        operators: null,
        requester: 'person',
        standing: 'provisional',
        askedAt: hub.env.now(),
        withdrawnAt: null,
        origin: 'counter',
      },
    ],
  })
  expect(await verdict(hub, hand, hand.content(stopped))).toEqual(['STOPPED'])
  const held = patientState(hand.facility, '2', { holds: ['identity'] })
  expect(await verdict(hub, hand, hand.content(held))).toEqual(['HOLD_IDENTITY'])
  const plain = patientState(hand.facility, '3')
  const twice = hand.content(plain)
  twice.evidence.push(hand.evidence({ ...plain, notices: [notice({ notice: noticeId('n-2') })] }))
  expect(await verdict(hub, hand, twice)).toEqual(['EVIDENCE_MISMATCH'])
})
