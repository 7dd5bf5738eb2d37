import { personKey, type PatientKey, type PersonKey } from '@kakehashi/protocol/ids'
import type { Env } from '@kakehashi/protocol/env'
import type { Store, Tx } from '@kakehashi/store/store'
import { candidatesFor, linkRecordOf } from './candidates.ts'
import type { Decision, LinkageEngine, Reason } from './engine.ts'
import { deterministicEngine } from './deterministic.ts'
import type { LinkageTables, LinkingTables } from './store.ts'

export interface Linked {
  placed: number
  attached: number
  newPersons: number
  reviews: number
}

/** Which of these are stopped: nobody links them, for as long as that lasts. */
export type Held = (charts: readonly PatientKey[]) => Promise<ReadonlySet<PatientKey>>

const PER_TRANSACTION = 100

/** Places every chart that is new or whose identity changed. Only accepted charts are in the identity store. */
export async function linkNewRecords(
  store: Store<LinkingTables>,
  engine: LinkageEngine = deterministicEngine,
  held: Held = async () => new Set(),
): Promise<Linked> {
  const total: Linked = { placed: 0, attached: 0, newPersons: 0, reviews: 0 }
  for (let after = ''; ;) {
    const { last, linked: some } = await store.transact<{ linked: Linked; last: PatientKey | undefined }>(
      ({ linked }) =>
        linked.placed === 0
          ? null
          : { act: 'linkage.placed', actor: `${engine.name}@${engine.version}`, detail: { ...linked } },
      async (tx) => {
        const charts = await unplaced(tx, after)
        const linked = await placeSome(tx, store.env, engine, charts, await held(charts))
        return { linked, last: charts.at(-1) }
      },
    )
    if (last === undefined) return total
    after = last
    for (const name of ['placed', 'attached', 'newPersons', 'reviews'] as const) total[name] += some[name]
  }
}

async function unplaced(tx: Tx<LinkingTables>, after: string): Promise<PatientKey[]> {
  const rows = await tx
    .selectFrom('identity_patient')
    .select('patient')
    .where('placed', '=', 0)
    .where('patient', '>', after)
    .orderBy('patient')
    .limit(PER_TRANSACTION)
    .execute()
  return rows.map((row) => row.patient as PatientKey)
}

async function placeSome(
  tx: Tx<LinkingTables>,
  env: Env,
  engine: LinkageEngine,
  charts: readonly PatientKey[],
  held: ReadonlySet<PatientKey>,
): Promise<Linked> {
  const linked: Linked = { placed: 0, attached: 0, newPersons: 0, reviews: 0 }
  for (const patient of charts) {
    if (held.has(patient)) continue
    const kind = await placeChart(tx, env, engine, patient)
    linked.placed++
    if (kind === 'attach') linked.attached++
    if (kind === 'new-person') linked.newPersons++
    if (kind === 'review') linked.reviews++
  }
  return linked
}

/**
 * Places one chart. A chart that stands alone may move; one that shares a person stays and, when its new values no
 * longer fit, a human is asked: links between persons are never undone by a machine.
 */
export async function placeChart(
  tx: Tx<LinkingTables>,
  env: Env,
  engine: LinkageEngine,
  patient: PatientKey,
): Promise<Decision['kind'] | 'keep'> {
  const record = await linkRecordOf(tx, patient)
  if (!record) return 'keep'
  await tx.updateTable('identity_patient').set({ placed: 1 }).where('patient', '=', patient).execute()
  const now = await tx.selectFrom('link').selectAll().where('patient', '=', patient).executeTakeFirst()
  const candidates = await candidatesFor(tx, record)
  const decision: Decision =
    candidates === 'too-many'
      ? { kind: 'review', persons: [], reasons: ['too-many-candidates'] }
      : engine.place(record, candidates)
  const by = { engine: `${engine.name}@${engine.version}`, actor: 'vault' }
  const shares = now !== undefined && (await isShared(tx, now.person, patient))
  if (now && shares) {
    if (decision.kind === 'attach' && decision.person === now.person) return 'keep'
    await openReview(tx, env, patient, {
      persons: [now.person as PersonKey, ...(decision.kind === 'review' ? decision.persons : [])],
      reasons: ['contradicts-its-person', ...decision.reasons],
    })
    return 'review'
  }
  await closeReviews(tx, env, patient, 'superseded', 'vault')
  const person =
    decision.kind === 'attach'
      ? decision.person
      : ((now?.person as PersonKey | undefined) ?? personKey(env.id()))
  await decide(tx, env, patient, person, decision, by)
  if (decision.kind === 'review') await openReview(tx, env, patient, decision)
  return decision.kind
}

async function isShared(tx: Tx<LinkingTables>, person: string, patient: PatientKey): Promise<boolean> {
  const other = await tx
    .selectFrom('link')
    .select('patient')
    .where('person', '=', person)
    .where('patient', '!=', patient)
    .executeTakeFirst()
  return other !== undefined
}

/** Appends the decision and points the chart's link at it. */
export async function decide(
  tx: Tx<LinkingTables>,
  env: Env,
  patient: PatientKey,
  person: PersonKey,
  decision: { kind: LinkageTables['link_decision']['kind']; reasons: Reason[]; via?: PatientKey },
  by: { engine: string; actor: string },
): Promise<void> {
  const id = env.id()
  await tx
    .insertInto('link_decision')
    .values({
      id,
      at: env.now(),
      kind: decision.kind,
      chart: patient,
      person,
      via: decision.via ?? null,
      reasons: JSON.stringify(decision.reasons),
      ...by,
    })
    .execute()
  const link = { person, decision: id }
  await tx
    .insertInto('link')
    .values({ patient, ...link })
    .onConflict((oc) => oc.column('patient').doUpdateSet(link))
    .execute()
}

export async function openReview(
  tx: Tx<LinkingTables>,
  env: Env,
  patient: PatientKey,
  why: { persons: PersonKey[]; reasons: Reason[] },
): Promise<void> {
  const open = await tx
    .selectFrom('link_review')
    .select('id')
    .where('chart', '=', patient)
    .where('closed_at', 'is', null)
    .executeTakeFirst()
  const row = { persons: JSON.stringify(why.persons), reasons: JSON.stringify(why.reasons) }
  if (open) await tx.updateTable('link_review').set(row).where('id', '=', open.id).execute()
  else
    await tx
      .insertInto('link_review')
      .values({
        id: env.id(),
        chart: patient,
        ...row,
        opened_at: env.now(),
        closed_at: null,
        outcome: null,
        actor: null,
      })
      .execute()
}

export async function closeReviews(
  tx: Tx<LinkingTables>,
  env: Env,
  patient: PatientKey,
  outcome: string,
  actor: string,
): Promise<void> {
  await tx
    .updateTable('link_review')
    .set({ closed_at: env.now(), outcome, actor })
    .where('chart', '=', patient)
    .where('closed_at', 'is', null)
    .execute()
}
