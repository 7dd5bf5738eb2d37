import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { OpsStore, OpsTx } from './ops.ts'

export type IncidentKind =
  | 'unnotified-data'
  | 'forged-batch'
  | 'evidence-mismatch'
  | 'forged-message'
  | 'notice-voided'
  | 'stopped-data'
  | 'request-unread'

/** Codes that mean: data came of somebody who was not told. Severity 1, and intake stops (LAW R49, trap 58). */
export const UNNOTIFIED: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'NOT_NOTIFIED',
  'PERSON_NOTICE_MISSING',
  'GUARDIAN_NOTICE_MISSING',
  'TRACK_NOT_NOTIFIED',
  'OPERATOR_NOT_NOTIFIED',
  'ITEM_NOT_NOTIFIED',
  'NOT_FILED',
  'DIED_BEFORE_NOTICE',
  'EVIDENCE_MISSING',
])

/** Codes that mean: somebody else than the enrolled agent made or changed this. */
export const FORGED: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'SIGNATURE_INVALID',
  'KEY_UNKNOWN',
  'KEY_RETIRED',
  'DIGEST_MISMATCH',
  'COUNTS_MISMATCH',
  'ENVELOPE_MALFORMED',
  'BATCH_REPLAYED',
  'FACILITY_UNKNOWN',
])

export async function openIncident(
  tx: OpsTx,
  env: { id(): string; now(): number },
  about: {
    severity: 1 | 2 | 3
    kind: IncidentKind
    facility: string | null
    batch: string | null
    detail: Record<string, string | number>
  },
): Promise<string> {
  const incident = env.id()
  await tx
    .insertInto('incident')
    .values({
      incident,
      severity: about.severity,
      kind: about.kind,
      facility: about.facility,
      batch: about.batch,
      opened_at: env.now(),
      detail: JSON.stringify(about.detail),
      cleared_at: null,
      cleared_by: null,
      reason: null,
    })
    .execute()
  return incident
}

export async function suspendIntake(tx: OpsTx, facility: string, now: number, reason: string): Promise<void> {
  await tx
    .insertInto('facility_intake')
    .values({ facility, suspended_at: now, reason })
    .onConflict((c) => c.column('facility').doNothing())
    .execute()
}

export async function isSuspended(tx: OpsTx, facility: string): Promise<boolean> {
  const row = await tx
    .selectFrom('facility_intake')
    .select('facility')
    .where('facility', '=', facility)
    .executeTakeFirst()
  return row !== undefined
}

/** Closing takes two people and a reason; intake of the facility opens when its last severity-1 incident closes. */
export async function clearIncident(
  ops: OpsStore,
  about: { incident: string; by: [string, string]; reason: string },
): Promise<boolean> {
  const [first, second] = about.by
  if (first === second || about.reason.trim() === '') return false
  return ops.transact(
    (done: boolean) =>
      done ? { act: 'incident.cleared', actor: first, detail: { incident: about.incident, second } } : null,
    async (tx) => {
      const row = await tx
        .selectFrom('incident')
        .selectAll()
        .where('incident', '=', about.incident)
        .where('cleared_at', 'is', null)
        .executeTakeFirst()
      if (!row) return false
      await tx
        .updateTable('incident')
        .set({ cleared_at: ops.env.now(), cleared_by: `${first} ${second}`, reason: about.reason })
        .where('incident', '=', row.incident)
        .execute()
      await tx.deleteFrom('doubted_chart').where('incident', '=', row.incident).execute()
      if (row.facility === null) return true
      const left = await tx
        .selectFrom('incident')
        .select('incident')
        .where('facility', '=', row.facility)
        .where('severity', '=', 1)
        .where('cleared_at', 'is', null)
        .executeTakeFirst()
      if (!left) await tx.deleteFrom('facility_intake').where('facility', '=', row.facility).execute()
      return true
    },
  )
}
