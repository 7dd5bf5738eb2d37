import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Receipt } from '@kakehashi/protocol/messages'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { AgentContext } from '../context.ts'
import { enterGiven, noMoreThere } from '../sources/ledger.ts'
import { clearTombstones, markAllToRead, oweTombstones, recordSent } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'
import { batchOf, forgetBytes, moveBatch, patientsOfBatch, type BatchRow } from './store.ts'

/** Reasons that may pass: a declaration, key or status list was still on its way. Asked again later. */
const PASSING = new Set<RefusalCode>([
  'FACILITY_UNKNOWN',
  'FACILITY_SUSPENDED',
  'VAULT_KEY_UNKNOWN',
  'OPERATOR_STATUS_STALE',
  'OPERATOR_NOT_CERTIFIED',
  'CLOCK_UNSURE',
  'NOT_FILED',
  'WAITING',
  'DISK_FULL',
])
const RETRY_MS = 6 * 3600 * 1000

interface Verdict {
  patients: Set<string>
  records: Set<string>
  everything: boolean
}

function verdictOf(receipt: Receipt): Verdict {
  const verdict: Verdict = {
    patients: new Set(),
    records: new Set(),
    everything: receipt.outcome === 'refused',
  }
  for (const refusal of receipt.refusals) {
    if (refusal.record !== null) verdict.records.add(refusal.record)
    else if (refusal.patient !== null) verdict.patients.add(refusal.patient)
    else verdict.everything = true
  }
  return verdict
}

/** Art. 54: written when, and only when, the receipt says that something was accepted. */
async function recordProvision(
  tx: AgentTx,
  context: AgentContext,
  batch: BatchRow,
  receipt: Receipt,
  refused: ReadonlySet<string>,
): Promise<void> {
  const status = await tx
    .selectFrom('operator_status')
    .select(['name', 'address'])
    .where('operator', '=', batch.operator)
    .executeTakeFirst()
  await tx
    .insertInto('provision')
    .values({
      batch: batch.batch,
      provided_at: receipt.at,
      provided_on: tokyoDate(receipt.at),
      operator: batch.operator,
      operator_name: status?.name ?? context.hub.operatorName,
      operator_address: status?.address ?? context.hub.operatorAddress,
      track: batch.track,
      records: receipt.accepted,
    })
    .execute()
  for (const { patient, items } of await patientsOfBatch(tx, batch.batch))
    if (!refused.has(patient))
      await tx.insertInto('provision_patient').values({ batch: batch.batch, patient, items }).execute()
}

async function settleLedger(tx: AgentTx, batch: BatchRow, verdict: Verdict, now: Instant): Promise<void> {
  const rows = await tx.selectFrom('outbox_record').selectAll().where('batch', '=', batch.batch).execute()
  const accepted = rows.filter(
    (row) => !verdict.everything && !verdict.records.has(row.key) && !verdict.patients.has(row.patient),
  )
  const given = accepted.filter((row) => !row.tombstone)
  const sent = given.map(({ key, hash, patient }) => ({ key, hash, patient: patient as PatientKey }))
  await recordSent(tx, sent, batch.sequence)
  await enterGiven(tx as never, sent, now)
  await clearTombstones(
    tx,
    accepted.filter((row) => row.tombstone).map((row) => row.key),
    batch.sequence,
  )
  await tx.deleteFrom('outbox_record').where('batch', '=', batch.batch).execute()
  await takeBack(
    tx,
    given.map((row) => row.key),
    now,
  )
}

/** What vanished at the source while it was under way was not yet known as given: it is taken back now. */
export async function takeBack(tx: AgentTx, keys: readonly string[], now: Instant): Promise<void> {
  const gone = await noMoreThere(tx as never, keys)
  if (gone.length === 0) return
  await markAllToRead(tx, await oweTombstones(tx as never, gone, 'vanished', now), now)
}

async function keepRefusals(tx: AgentTx, receipt: Receipt): Promise<void> {
  for (const refusal of receipt.refusals)
    await tx
      .insertInto('refused_record')
      .values({
        batch: receipt.batch,
        patient: refusal.patient,
        record: refusal.record,
        code: refusal.code,
        at: receipt.at,
        retry_at: PASSING.has(refusal.code) ? receipt.at + RETRY_MS : null,
      })
      .execute()
}

/**
 * The vault's signed word on one batch. Only this finishes it: the bytes go, the ledger learns what was accepted, what
 * was refused stays with its code. Applied once, however often it comes; `false` when it fits no batch of ours.
 */
export async function applyReceipt(tx: AgentTx, context: AgentContext, receipt: Receipt): Promise<boolean> {
  const batch = await batchOf(tx, receipt.batch)
  if (!batch || batch.digest !== receipt.digest || batch.leg === 'done') return false
  const now = context.env.now()
  await moveBatch(tx, batch.batch, batch.leg, 'done', now)
  await tx
    .updateTable('outbox_batch')
    .set({ outcome: receipt.outcome })
    .where('batch', '=', batch.batch)
    .execute()
  const verdict = verdictOf(receipt)
  if (receipt.accepted > 0) await recordProvision(tx, context, batch, receipt, verdict.patients)
  await settleLedger(tx, batch, verdict, now)
  await keepRefusals(tx, receipt)
  await forgetBytes(tx, batch.batch)
  return true
}
