import { messageId, type PatientKey, type StopId } from '@kakehashi/protocol/ids'
import type { ListedStop, StopList } from '@kakehashi/protocol/messages'
import { birthdayAt, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { StopFact } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { haltPatients } from '../outbox/halt.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { bearerOf } from '../papers/bearer.ts'
import { addedStop } from './merged-stops.ts'
import { chartsOfPerson, patientStateOf } from './read.ts'
import { lastSequence } from '../outbox/store.ts'
import { sequenceFrom } from './restored-state.ts'
import { openSlip } from './slip.ts'
import { appendEvent } from './store.ts'

/**
 * This store was put back from a backup, and stops taken since are not in it; or the vault was, and lacks what it took
 * since. The gate is shut from this commit on, until the hub has told every stop it knows; the counter works. Batch
 * numbers go on where no number ever was.
 */
export async function enterRestored(tx: AgentTx, context: AgentContext): Promise<void> {
  const now = context.env.now()
  const asked = await enqueueControl(tx, context, { type: 'stops-asked' })
  // one a second since 1970 is more than any agent ever numbered
  const from = Math.max(Math.floor(now / 1000), await sequenceFrom(tx), (await lastSequence(tx)) + 1)
  const row = {
    asked,
    restored_at: now,
    opened_at: null,
    leaves: await auditLeaves(tx),
    sequence_from: from,
    records_seq: from,
    missing_leaves: null,
    records_place: null,
    records_state: 'untold' as const,
  }
  await tx.deleteFrom('restored_part').execute()
  await tx
    .insertInto('restored')
    .values({ id: 1, ...row })
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .execute()
}

async function auditLeaves(tx: AgentTx): Promise<number> {
  const { n } = await tx
    .selectFrom('audit_leaf')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return n
}

/** One part of the hub's answer. When all are here, and not before, the gate may open. */
export async function takeStopList(tx: AgentTx, context: AgentContext, list: StopList): Promise<void> {
  const row = await tx.selectFrom('restored').selectAll().executeTakeFirst()
  if (!row || row.opened_at !== null || messageId(row.asked) !== list.asked) return
  for (const stop of list.stops) await takeListed(tx, context, stop)
  for (const hash of list.erased)
    await tx
      .insertInto('erased_chart')
      .values({ hash, key: list.erasedKey })
      .onConflict((c) => c.doNothing())
      .execute()
  await tx
    .insertInto('restored_part')
    .values({ part: list.part })
    .onConflict((c) => c.doNothing())
    .execute()
  const { n } = await tx
    .selectFrom('restored_part')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  if (n < list.parts) return
  const shown = Number(list.checkpoint?.split('\n')[1] ?? 0)
  const missing = Math.max(0, shown - row.leaves)
  await tx
    .updateTable('restored')
    .set({
      opened_at: context.env.now(),
      sequence_from: Math.max(row.sequence_from, list.sequence),
      missing_leaves: missing,
    })
    .execute()
  context.log('restore.opened', { parts: list.parts })
}

async function chartsMeant(tx: AgentTx, context: AgentContext, stop: ListedStop): Promise<PatientKey[]> {
  const named = new Set<PatientKey>(stop.patients)
  for (const handle of stop.handles) {
    const bearer = await bearerOf(tx, handle)
    if (bearer) named.add(bearer)
  }
  const charts = new Set<PatientKey>(named)
  for (const patient of named) for (const chart of await chartsOfPerson(tx, patient)) charts.add(chart)
  return [...charts].filter((chart) => chart.startsWith(`${context.facility}/`))
}

/** The vault knows a stop of ours by its own number, or by the one it has for a chart that came to it later. */
function isTold(ours: StopId, chart: PatientKey, told: StopId): boolean {
  return told === ours || told === addedStop(ours, chart)
}

/** Enters a stop this copy does not know, dated as the hub has it, with the task of Art. 53 while it is in force. */
async function takeListed(tx: AgentTx, context: AgentContext, stop: ListedStop): Promise<void> {
  const fresh: PatientKey[] = []
  for (const chart of await chartsMeant(tx, context, stop)) {
    const { stops } = await patientStateOf(tx, chart)
    if (!stops.some((known) => isTold(known.stop, chart, stop.stop))) fresh.push(chart)
  }
  if (fresh.length === 0) return
  for (const patient of fresh) {
    await appendEvent(tx, {
      type: 'stop-asked',
      event: context.env.id(),
      recordedAt: stop.askedAt,
      by: 'hub',
      patient,
      stop: stop.stop,
      tracks: stop.tracks,
      operators: stop.operators,
      requester: stop.requester,
      identityCheck: 'none',
      standing: stop.standing === 'provisional' ? 'provisional' : 'confirmed',
      origin: stop.origin,
      erasureAsked: stop.erasureAsked,
    })
    if (stop.standing === 'withdrawn' && stop.withdrawnAt !== null)
      await appendEvent(tx, {
        type: 'stop-withdrawn',
        event: context.env.id(),
        recordedAt: stop.withdrawnAt,
        by: 'hub',
        patient,
        stop: stop.stop,
        requester: await withdrawer(tx, context, patient, stop),
      })
  }
  await haltPatients(tx, fresh, context.env.now())
  if (stop.standing !== 'withdrawn') await openSlip(tx, context, { ...stop, patients: fresh })
}

/** The hub knows that it was withdrawn, not by whom: whoever alone could. If nobody could, it stays in force. */
async function withdrawer(
  tx: AgentTx,
  context: AgentContext,
  patient: PatientKey,
  stop: ListedStop,
): Promise<StopFact['requester']> {
  if (stop.requester !== 'guardian') return stop.requester === 'family' ? 'family' : 'person'
  const { birthDate } = await patientStateOf(tx, patient)
  const at = stop.withdrawnAt ?? context.env.now()
  const ownAge = context.rulesAt(context.env.now()).ownNoticeAge
  const child = birthDate !== null && tokyoDate(at) < birthdayAt(birthDate, ownAge)
  return child ? 'guardian' : 'person'
}
