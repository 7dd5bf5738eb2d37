import type { PatientKey } from '@kakehashi/protocol/ids'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { FacilityState } from '@kakehashi/protocol/rules/state'
import type { AuditEvent } from '@kakehashi/store/audit'
import { admit, type Admission } from '../admission/rules.ts'
import { chartHash, slices } from '../requests/charts.ts'
import { awaitsAcknowledgement } from '../requests/unplaced.ts'
import { FORGED, isSuspended, openIncident, suspendIntake, UNNOTIFIED } from './incident.ts'
import { declaredFacility, noteAdmitted, readKnown, seeTime } from './known.ts'
import { openWaiting, type Opened, type Waiting } from './open.ts'
import type { OpsTables, OpsTx } from './ops.ts'
import { post } from './outbox.ts'
import type { VaultParts } from './parts.ts'
import { giveReceipt, recordReceipt, wholeRefusal, type Verdict } from './receipts.ts'

/** `waits`: not decided now (no declaration yet, a stop not yet placed, a clock in doubt); asked again next round. */
export type Admitted = { outcome: Verdict['outcome']; verdict: Verdict } | { outcome: 'again' | 'waits' }

/** A batch whose facility has declared nothing is kept waiting this long for the declaration on its way. */
const DECLARATION_MS_MAX = 24 * 3600 * 1000

/** Opens one sealed batch and decides. Everything it leads to is committed together, or nothing of it. */
export async function admitBatch(parts: VaultParts, waiting: Waiting, bytes: Uint8Array): Promise<Admitted> {
  const before = await repeated(parts, waiting)
  if (before) return before
  const opened = await openWaiting(parts, waiting, bytes)
  if ('code' in opened) return refuseUnopened(parts, waiting, bytes, opened.code)
  const expected = await parts.ops.bookkeep(async (tx) => judge(tx, parts, opened))
  if (expected.kind === 'clock' || expected.kind === 'stop-unplaced') return { outcome: 'waits' }
  if (expected.kind === 'undeclared') return declarationMissing(parts, waiting)
  if (expected.kind === 'judged' && expected.admission.whole === null)
    await parts.rooms.takeIdentity(expected.admission.records, opened.content.tombstones)
  const verdict = await parts.ops.transact(
    (done: Verdict | null) => (done === null ? null : eventOf(waiting, opened, done)),
    (tx) => decideInside(tx, parts, waiting, opened, bytes, admittedCharts(expected)),
  )
  if (verdict === null) return { outcome: 'waits' }
  await forgetStrangers(parts, verdict)
  return { outcome: verdict.outcome, verdict }
}

type Judgement =
  | { kind: 'undeclared' }
  | { kind: 'clock' }
  | { kind: 'stop-unplaced' }
  | { kind: 'suspended' }
  | { kind: 'judged'; facility: FacilityState; admission: Admission }

async function judge(tx: OpsTx, parts: VaultParts, opened: Opened): Promise<Judgement> {
  const { header, content } = opened
  if (await isSuspended(tx, header.facility)) return { kind: 'suspended' }
  if (await awaitsAcknowledgement(tx, header.agent)) return { kind: 'stop-unplaced' }
  const facility = await declaredFacility(tx, header.facility)
  if (facility === null) return { kind: 'undeclared' }
  const known = await readKnown(tx, parts, header, content, facility)
  if (known.now < known.latestSeen - known.rules.clockBackstepMs) return { kind: 'clock' }
  return { kind: 'judged', facility, admission: admit(content, header.facility, header.track, known) }
}

function admittedCharts(judgement: Judgement): Set<PatientKey> {
  if (judgement.kind !== 'judged' || judgement.admission.whole !== null) return new Set()
  return new Set(judgement.admission.admitted.map((one) => one.state.patient.patient))
}

/** `null`: somebody was stopped, erased or cleared since the identities were taken; the batch is asked again. */
async function decideInside(
  tx: OpsTx,
  parts: VaultParts,
  waiting: Waiting,
  opened: Opened,
  bytes: Uint8Array,
  expected: ReadonlySet<PatientKey>,
): Promise<Verdict | null> {
  const { header, content } = opened
  const agent = await agentRow(tx, header.agent)
  if (!agent) return null
  const about = { agent, track: header.track, sequence: header.sequence }
  await seeTime(tx, parts.env.now())
  const judgement = await judge(tx, parts, opened)
  if (judgement.kind !== 'suspended' && judgement.kind !== 'judged') return null
  if (judgement.kind === 'suspended' || judgement.admission.whole !== null) {
    const whole = judgement.kind === 'suspended' ? 'FACILITY_SUSPENDED' : judgement.admission.whole
    const verdict = wholeRefusal(whole ?? 'FACILITY_SUSPENDED', content.records.length)
    await raiseAlarms(tx, parts, waiting, header.facility, verdict, bytes)
    await giveReceipt(tx, parts, waiting, about, verdict)
    return verdict
  }
  const { admission, facility } = judgement
  const charts = admittedCharts(judgement)
  if ([...charts].some((patient) => !expected.has(patient))) return null
  const landed = await parts.rooms.landRecords(tx, header, admission.records, content.tombstones)
  await noteAdmitted(tx, header, { records: admission.records, evidence: admission.admitted })
  const verdict: Verdict = {
    outcome:
      admission.refusedRecords === 0 ? 'accepted' : admission.records.length === 0 ? 'refused' : 'partly',
    code: null,
    accepted: admission.records.length + landed.tombstoned,
    refused: admission.refusedRecords,
    refusals: admission.refusals,
  }
  if (admission.records.length > 0)
    await recordReceipt(tx, parts, header, facility, { records: admission.records, patients: charts.size })
  await raiseAlarms(tx, parts, waiting, header.facility, verdict, bytes)
  await countTombstoneHits(tx, parts, verdict)
  await giveReceipt(tx, parts, waiting, about, verdict)
  return verdict
}

async function agentRow(tx: OpsTx, agent: string): Promise<OpsTables['agent'] | undefined> {
  return tx.selectFrom('agent').selectAll().where('agent', '=', agent).executeTakeFirst()
}

/** The same batch again: the receipt is said again; another content under its number is a forgery. */
async function repeated(parts: VaultParts, waiting: Waiting): Promise<Admitted | null> {
  const row = await parts.ops.db
    .selectFrom('batch')
    .selectAll()
    .where('batch', '=', waiting.batch)
    .executeTakeFirst()
  if (!row) return null
  if (row.digest !== waiting.digest) {
    await refuseReplayed(parts, waiting, row)
    return { outcome: 'again' }
  }
  await parts.ops.bookkeep(async (tx) => {
    const agent = await agentRow(tx, row.agent)
    const sent = await tx
      .selectFrom('outbox')
      .selectAll()
      .where('message', '=', row.receipt)
      .executeTakeFirst()
    if (!agent || (sent && sent.acked_at === null)) return
    const refusals = await tx
      .selectFrom('batch_refusal')
      .selectAll()
      .where('batch', '=', row.batch)
      .orderBy('n')
      .execute()
    await post(tx, parts, agent, {
      type: 'receipt',
      batch: row.batch as Opened['header']['batch'],
      digest: row.digest,
      outcome: row.outcome,
      accepted: row.accepted,
      refusals: refusals.map(({ code, patient, record }) => ({
        code: code as RefusalCode,
        patient: patient as PatientKey | null,
        record,
      })),
    })
  })
  return { outcome: 'again' }
}

async function refuseReplayed(parts: VaultParts, waiting: Waiting, row: OpsTables['batch']): Promise<void> {
  await parts.ops.transact(
    { act: 'batch.refused', actor: 'vault', detail: { batch: waiting.batch, code: 'BATCH_REPLAYED' } },
    (tx) =>
      raiseAlarms(tx, parts, waiting, row.facility, wholeRefusal('BATCH_REPLAYED', 0), new Uint8Array(0)),
  )
}

/** Nothing of it was read. The agent is told if it is one of ours; the sealed bytes go to quarantine. */
async function refuseUnopened(
  parts: VaultParts,
  waiting: Waiting,
  bytes: Uint8Array,
  code: RefusalCode,
): Promise<Admitted> {
  const verdict = wholeRefusal(code, 0)
  await parts.ops.transact(
    { act: 'batch.refused', actor: 'vault', detail: { batch: waiting.batch, code } },
    async (tx) => {
      const agent = await agentRow(tx, waiting.agent)
      await raiseAlarms(tx, parts, waiting, agent?.facility ?? null, verdict, bytes)
      if (agent) await giveReceipt(tx, parts, waiting, { agent, track: '', sequence: 0 }, verdict)
    },
  )
  return { outcome: 'refused', verdict }
}

async function declarationMissing(parts: VaultParts, waiting: Waiting): Promise<Admitted> {
  const name = `waits:${waiting.batch}`
  const now = parts.env.now()
  const since = await parts.ops.bookkeep(async (tx) => {
    const row = await tx.selectFrom('cursor').select('value').where('name', '=', name).executeTakeFirst()
    if (!row) await tx.insertInto('cursor').values({ name, value: now }).execute()
    return Number(row?.value ?? now)
  })
  if (now - since < DECLARATION_MS_MAX) return { outcome: 'waits' }
  return refuseUnopened(parts, waiting, new Uint8Array(0), 'FACILITY_UNKNOWN')
}

async function raiseAlarms(
  tx: OpsTx,
  parts: VaultParts,
  waiting: Waiting,
  facility: string | null,
  verdict: Verdict,
  bytes: Uint8Array,
): Promise<void> {
  const codes = new Map<RefusalCode, number>()
  for (const { code } of verdict.refusals) codes.set(code, (codes.get(code) ?? 0) + 1)
  for (const [code, count] of codes) {
    const about = { facility, batch: waiting.batch, detail: { code, count } }
    if (UNNOTIFIED.has(code)) {
      await openIncident(tx, parts.env, { severity: 1, kind: 'unnotified-data', ...about })
      if (facility !== null) await suspendIntake(tx, facility, parts.env.now(), code)
    } else if (code === 'EVIDENCE_MISMATCH')
      await openIncident(tx, parts.env, { severity: 2, kind: 'evidence-mismatch', ...about })
    else if (FORGED.has(code))
      await openIncident(tx, parts.env, { severity: 2, kind: 'forged-batch', ...about })
  }
  const suspicious = [...codes.keys()].find((code) => FORGED.has(code) || code === 'EVIDENCE_MISMATCH')
  if (suspicious && verdict.outcome === 'refused')
    await tx
      .insertInto('quarantine')
      .values({
        batch: waiting.batch,
        digest: waiting.digest,
        agent: waiting.agent,
        code: suspicious,
        at: parts.env.now(),
        sealed: bytes.length > 0 ? bytes : null,
        erased_at: null,
        cleared_by: null,
        reason: null,
      })
      .onConflict((c) => c.doNothing())
      .execute()
}

async function countTombstoneHits(tx: OpsTx, parts: VaultParts, verdict: Verdict): Promise<void> {
  const erased = verdict.refusals.flatMap(({ code, patient }) =>
    code === 'ERASED' && patient !== null ? [chartHash(parts.keys.tombstone, patient)] : [],
  )
  for (const part of slices([...new Set(erased)]))
    await tx
      .updateTable('tombstone')
      .set((e) => ({ hits: e('hits', '+', 1) }))
      .where('hash', 'in', part)
      .execute()
}

/** Whoever was refused and never admitted before must not stay in the identity store because of a lost race. */
async function forgetStrangers(parts: VaultParts, verdict: Verdict): Promise<void> {
  const refused = new Set(verdict.refusals.flatMap(({ patient }) => (patient === null ? [] : [patient])))
  if (refused.size > 0) await parts.rooms.forgetUnadmitted([...refused])
}

function eventOf(waiting: Waiting, opened: Opened, done: Verdict): AuditEvent {
  const count = (code: RefusalCode): number => done.refusals.filter((refusal) => refusal.code === code).length
  return {
    act: done.outcome === 'refused' ? 'batch.refused' : 'batch.admitted',
    actor: opened.header.agent,
    detail: {
      batch: waiting.batch,
      digest: waiting.digest,
      accepted: done.accepted,
      refused: done.refused,
      code: done.code,
      stopped: count('STOPPED'),
      erased: count('ERASED'),
    },
  }
}
