import { personKey, type PatientKey, type PersonKey } from '@kakehashi/protocol/ids'
import type { Store, Tx } from '@kakehashi/store/store'
import { candidatesFor, linkRecordOf } from '../linkage/candidates.ts'
import type { LinkageEngine } from '../linkage/engine.ts'
import { decide, openReview } from '../linkage/flow.ts'
import { deterministicEngine } from '../linkage/deterministic.ts'
import type { LinkingTables } from '../linkage/store.ts'
import { erasureHandles } from './intake.ts'

export interface IdentityErased {
  places: { place: string; records: number }[]
  /** Charts that stay and whose link rested on an erased one: placed anew. */
  reevaluated: number
}

/**
 * Removes the charts from identity and from the link map by chart, never by person: what was linked with them stays
 * untouched, and only links that rested on an erased chart are looked at again (LAW trap 34).
 */
export async function eraseIdentity(
  store: Store<LinkingTables>,
  patients: readonly PatientKey[],
  engine: LinkageEngine = deterministicEngine,
): Promise<IdentityErased> {
  const erased = await store.transact<IdentityErased>(
    ({ reevaluated }) => ({
      act: 'identity.erased',
      actor: 'vault',
      detail: { charts: patients.length, reevaluated },
    }),
    async (tx) => {
      const handle = await erasureHandles(tx, store)
      const counts = new Map<string, number>()
      const orphans = new Set<PatientKey>()
      for (const patient of patients) {
        for (const chart of await restingOn(tx, patient)) orphans.add(chart)
        await eraseChart(tx, patient, handle(patient), store.env.now(), counts)
      }
      let reevaluated = 0
      for (const chart of orphans)
        if (!patients.includes(chart) && (await placeAgain(tx, store, engine, chart))) reevaluated++
      const places = [...counts].filter(([, n]) => n > 0).map(([place, records]) => ({ place, records }))
      return { places, reevaluated }
    },
  )
  await store.scrub()
  return erased
}

/** Charts whose standing link was decided by agreement with `patient`. */
async function restingOn(tx: Tx<LinkingTables>, patient: PatientKey): Promise<PatientKey[]> {
  const rows = await tx
    .selectFrom('link as l')
    .innerJoin('link_decision as d', 'd.id', 'l.decision')
    .select('l.patient')
    .where('d.via', '=', patient)
    .execute()
  return rows.map((r) => r.patient as PatientKey)
}

async function eraseChart(
  tx: Tx<LinkingTables>,
  patient: PatientKey,
  handle: string,
  at: number,
  counts: Map<string, number>,
): Promise<void> {
  const count = (place: string, n: bigint): void => {
    counts.set(place, (counts.get(place) ?? 0) + Number(n))
  }
  await tx
    .insertInto('identity_erased')
    .values({ handle, at })
    .onConflict((oc) => oc.doNothing())
    .execute()
  const cards = await tx.deleteFrom('identity_insurance').where('patient', '=', patient).executeTakeFirst()
  const sources = await tx.deleteFrom('identity_source').where('patient', '=', patient).executeTakeFirst()
  const charts = await tx.deleteFrom('identity_patient').where('patient', '=', patient).executeTakeFirst()
  const links = await tx.deleteFrom('link').where('patient', '=', patient).executeTakeFirst()
  const reviews = await tx.deleteFrom('link_review').where('chart', '=', patient).executeTakeFirst()
  const apart = await tx
    .deleteFrom('link_never')
    .where((e) => e.or([e('a', '=', patient), e('b', '=', patient)]))
    .executeTakeFirst()
  count('identity/insurance', cards.numDeletedRows)
  count('identity/received', sources.numDeletedRows)
  count('identity/chart', charts.numDeletedRows)
  count('linkage/link', links.numDeletedRows)
  count('linkage/review', reviews.numDeletedRows)
  count('linkage/kept-apart', apart.numDeletedRows)
  await tx.updateTable('link_decision').set({ chart: handle }).where('chart', '=', patient).execute()
  await tx.updateTable('link_decision').set({ via: handle }).where('via', '=', patient).execute()
}

/** Fresh notice and period after a withdrawn stop: the charts may arrive again. */
export async function liftIdentityErasure(
  tx: Tx<LinkingTables>,
  store: Store<LinkingTables>,
  patients: readonly PatientKey[],
): Promise<void> {
  const handle = await erasureHandles(tx, store)
  for (const patient of patients)
    await tx.deleteFrom('identity_erased').where('handle', '=', handle(patient)).execute()
}

/** Still agrees with what remains of its person: stays. Otherwise a person of its own, and a human is asked. */
async function placeAgain(
  tx: Tx<LinkingTables>,
  store: Store<LinkingTables>,
  engine: LinkageEngine,
  chart: PatientKey,
): Promise<boolean> {
  const record = await linkRecordOf(tx, chart)
  const now = await tx.selectFrom('link').selectAll().where('patient', '=', chart).executeTakeFirst()
  if (!record || !now) return false
  const by = { engine: `${engine.name}@${engine.version}`, actor: 'vault' }
  const remaining = await tx
    .selectFrom('link')
    .select('patient')
    .where('person', '=', now.person)
    .where('patient', '!=', chart)
    .execute()
  const own = new Set(remaining.map((r) => r.patient))
  const candidates = await candidatesFor(tx, record)
  const family = candidates === 'too-many' ? [] : candidates.filter((c) => own.has(c.patient))
  const decision = engine.place(record, family)
  if (own.size === 0) {
    const kept = { kind: 'keep' as const, reasons: ['evidence-was-erased' as const] }
    await decide(tx, store.env, chart, now.person as PersonKey, kept, by)
  } else if (decision.kind === 'attach')
    await decide(tx, store.env, chart, now.person as PersonKey, decision, by)
  else {
    const fresh = personKey(store.env.id())
    const split = { kind: 'new-person' as const, reasons: ['evidence-was-erased' as const] }
    await decide(tx, store.env, chart, fresh, split, by)
    await openReview(tx, store.env, chart, { persons: [now.person as PersonKey], reasons: split.reasons })
  }
  return true
}
