import { personKey, type PatientKey, type PersonKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Store, Tx } from '@kakehashi/store/store'
import type { Reading } from '../content/reading.ts'
import type { Reason } from './engine.ts'
import { closeReviews, decide } from './flow.ts'
import { chartsOf, personOf, type LinkageTables, type LinkingTables } from './store.ts'

export interface ReviewTask {
  id: string
  chart: PatientKey
  persons: PersonKey[]
  reasons: Reason[]
  openedAt: number
}

const HUMAN = 'human'

export async function openReviews(db: Reading<LinkageTables>, limit = 200): Promise<ReviewTask[]> {
  const rows = await db
    .selectFrom('link_review')
    .selectAll()
    .where('closed_at', 'is', null)
    .orderBy('opened_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    chart: row.chart as PatientKey,
    persons: JSON.parse(row.persons) as PersonKey[],
    reasons: JSON.parse(row.reasons) as Reason[],
    openedAt: Number(row.opened_at),
  }))
}

/** A member of staff answers: the same as `person`, or (`null`) none of the persons named. */
export async function answerReview(
  store: Store<LinkingTables>,
  task: string,
  person: PersonKey | null,
  actor: string,
): Promise<void> {
  await store.transact(
    { act: 'linkage.reviewed', actor, detail: { task, outcome: person ? 'same' : 'different' } },
    async (tx) => {
      const row = await tx
        .selectFrom('link_review')
        .selectAll()
        .where('id', '=', task)
        .where('closed_at', 'is', null)
        .executeTakeFirst()
      if (!row) throw new Refused('NOT_FOUND', 'link review')
      const chart = row.chart as PatientKey
      const persons = JSON.parse(row.persons) as PersonKey[]
      const own = await personOf(tx, chart)
      if (person && !persons.includes(person)) throw new Refused('NOT_ALLOWED', 'link review')
      if (person && person !== own)
        await decide(
          tx,
          store.env,
          chart,
          person,
          { kind: 'join', reasons: ['decided-by-person'] },
          { engine: HUMAN, actor },
        )
      for (const other of persons)
        if (other !== person && other !== own) await keepApart(tx, store, chart, other, actor)
      await closeReviews(tx, store.env, chart, person ? 'same' : 'different', actor)
    },
  )
}

/** Takes one chart out of its person: it becomes a person of its own, and stays apart from the charts it left. */
export async function unlink(
  store: Store<LinkingTables>,
  patient: PatientKey,
  actor: string,
): Promise<PersonKey> {
  return store.transact<PersonKey>({ act: 'linkage.unlinked', actor }, async (tx) => {
    const from = await personOf(tx, patient)
    if (!from) throw new Refused('NOT_FOUND', 'link')
    const fresh = personKey(store.env.id())
    await decide(
      tx,
      store.env,
      patient,
      fresh,
      { kind: 'unlink', reasons: ['decided-by-person'] },
      { engine: HUMAN, actor },
    )
    await keepApart(tx, store, patient, from, actor)
    await closeReviews(tx, store.env, patient, 'unlinked', actor)
    return fresh
  })
}

async function keepApart(
  tx: Tx<LinkingTables>,
  store: Store<LinkingTables>,
  patient: PatientKey,
  person: PersonKey,
  actor: string,
): Promise<void> {
  for (const other of await chartsOf(tx, person)) {
    if (other === patient) continue
    const [a, b] = patient < other ? [patient, other] : [other, patient]
    await tx
      .insertInto('link_never')
      .values({ a, b, by_whom: actor, at: store.env.now() })
      .onConflict((oc) => oc.doNothing())
      .execute()
  }
}
