import type { BatchHeader } from '@kakehashi/protocol/envelope'
import { batchId } from '@kakehashi/protocol/ids'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FacilityState } from '@kakehashi/protocol/rules/state'
import type { SourceRecord } from '@kakehashi/protocol/records'
import type { PatientRefusal } from '../admission/rules.ts'
import { slices } from '../requests/charts.ts'
import type { Waiting } from './open.ts'
import type { OpsTables, OpsTx } from './ops.ts'
import { post } from './outbox.ts'
import type { VaultParts } from './parts.ts'

/** Lines a receipt can carry within the size of one message; beyond it whole patients are named. */
const REFUSAL_LINES_MAX = 700

export interface Verdict {
  outcome: 'accepted' | 'partly' | 'refused'
  /** Why the whole batch was refused. */
  code: RefusalCode | null
  accepted: number
  refused: number
  refusals: PatientRefusal[]
}

export function wholeRefusal(code: RefusalCode, records: number): Verdict {
  return {
    outcome: 'refused',
    code,
    accepted: 0,
    refused: records,
    refusals: [{ code, patient: null, record: null }],
  }
}

/** The batch's row, its refusals and the signed receipt, in the transaction that lands its records. */
export async function giveReceipt(
  tx: OpsTx,
  parts: VaultParts,
  waiting: Waiting,
  about: { agent: OpsTables['agent']; track: string; sequence: number },
  verdict: Verdict,
): Promise<void> {
  const receipt = await post(tx, parts, about.agent, {
    type: 'receipt',
    batch: batchId(waiting.batch),
    digest: waiting.digest,
    outcome: verdict.outcome,
    accepted: verdict.accepted,
    refusals: lines(verdict.refusals),
  })
  await tx
    .insertInto('batch')
    .values({
      batch: waiting.batch,
      agent: about.agent.agent,
      facility: about.agent.facility,
      digest: waiting.digest,
      size: waiting.size,
      track: about.track,
      sequence: about.sequence,
      received_at: parts.env.now(),
      outcome: verdict.outcome,
      code: verdict.code,
      accepted: verdict.accepted,
      refused: verdict.refused,
      receipt,
      dropped_at: null,
    })
    .execute()
  const rows = verdict.refusals.map((refusal, n) => ({ batch: waiting.batch, n, ...refusal }))
  for (const part of slices(rows)) await tx.insertInto('batch_refusal').values(part).execute()
}

function lines(refusals: readonly PatientRefusal[]): PatientRefusal[] {
  if (refusals.length <= REFUSAL_LINES_MAX) return [...refusals]
  const whole = new Map(
    refusals.map(({ code, patient }) => [`${code} ${patient}`, { code, patient, record: null }]),
  )
  return [...whole.values()]
}

/** What the law wants written down at receipt (Art. 55): from whom, who stands for them, how they came by it, when. */
export async function recordReceipt(
  tx: OpsTx,
  parts: VaultParts,
  header: BatchHeader,
  facility: FacilityState,
  admitted: { records: readonly SourceRecord[]; patients: number },
): Promise<void> {
  await tx
    .insertInto('receipt_record')
    .values({
      batch: header.batch,
      facility: header.facility,
      received_on: tokyoDate(parts.env.now()),
      hospital: facility.entity.name,
      address: facility.entity.address,
      representative: facility.entity.representative,
      acquisition: '診療の過程で取得し、本人への通知と主務大臣への届出を経て提供',
      patients: admitted.patients,
      records: admitted.records.length,
      items: JSON.stringify([...new Set(admitted.records.map((record) => record.item))].toSorted()),
    })
    .execute()
}
