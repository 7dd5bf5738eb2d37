import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Tx } from '@kakehashi/store/store'
import type { Content } from './content.ts'
import { tombstoneHandles } from './key-table.ts'
import { partitionOf } from './partition.ts'
import { rewritePartitions, type Rewritten } from './settle.ts'
import type { ContentTables } from './store.ts'

export interface Erased {
  /** Where something of the person was, for the certificate. */
  places: { place: string; records: number }[]
  /** Ids of the keys destroyed with the files and rows they opened. */
  keysDestroyed: string[]
}

interface Marked {
  partitions: Map<number, number>
  records: number
  landing: number
}

const AT_ONCE = 400

/**
 * Takes the charts out of landing and out of their partition files, which are written anew under fresh keys; the
 * old keys are destroyed, so that older copies of the files stay shut. Later arrivals are refused by keyed hash.
 * Safe to run again after a crash: it finishes what is left.
 */
export async function eraseContent(
  content: Content,
  patients: readonly PatientKey[],
  erasure: string | null = null,
): Promise<Erased> {
  const marked = await content.store.transact<Marked>(
    (m) => ({
      act: 'content.erasure-marked',
      actor: 'vault',
      detail: { charts: patients.length, records: m.records },
    }),
    (tx) => markErased(tx, content, patients, erasure),
  )
  const touched = new Set([...marked.partitions.keys(), ...patients.map((p) => partitionOf(p))])
  const erased: Erased = { places: [], keysDestroyed: [] }
  const partitions = [...touched].toSorted((a, b) => a - b)
  const rewritten: Rewritten = { records: 0, keysDestroyed: erased.keysDestroyed }
  await rewritePartitions(content, partitions, rewritten)
  if (erasure !== null) return everDone(content, erasure, erased.keysDestroyed)
  for (const partition of partitions) {
    const records = marked.partitions.get(partition) ?? 0
    if (records > 0) erased.places.push({ place: `content/partition-${partition}`, records })
  }
  if (marked.landing > 0) erased.places.push({ place: 'content/landing', records: marked.landing })
  return erased
}

/** All that was done for this erasure, in this run and in those that a crash ended. */
async function everDone(content: Content, erasure: string, now: readonly string[]): Promise<Erased> {
  const { db } = content.store
  const places = await db
    .selectFrom('content_erasure_place')
    .select(['place', 'records'])
    .where('erasure', '=', erasure)
    .orderBy('place')
    .execute()
  const keys = await db
    .selectFrom('content_erasure_key')
    .select('key')
    .where('erasure', '=', erasure)
    .orderBy('key')
    .execute()
  return {
    places: places.map(({ place, records }) => ({ place, records: Number(records) })),
    keysDestroyed: [...new Set([...keys.map((row) => row.key), ...now])],
  }
}

async function notePlaces(tx: Tx<ContentTables>, erasure: string, marked: Marked): Promise<void> {
  const places = [...marked.partitions].map(([partition, records]) => ({
    place: `content/partition-${partition}`,
    records,
  }))
  if (marked.landing > 0) places.push({ place: 'content/landing', records: marked.landing })
  for (const { place, records } of places)
    await tx
      .insertInto('content_erasure_place')
      .values({ erasure, place, records })
      .onConflict((oc) =>
        oc.columns(['erasure', 'place']).doUpdateSet((e) => ({
          records: e('content_erasure_place.records', '+', e.ref('excluded.records')),
        })),
      )
      .execute()
}

/** Fresh notice and period after a withdrawn stop: the charts may arrive again. */
export async function liftErasure(
  tx: Tx<ContentTables>,
  content: Content,
  patients: readonly PatientKey[],
): Promise<void> {
  const handle = await tombstoneHandles(tx, content)
  for (const patient of patients)
    await tx.deleteFrom('content_erased').where('handle', '=', handle(patient)).execute()
}

export async function markErased(
  tx: Tx<ContentTables>,
  content: Content,
  patients: readonly PatientKey[],
  erasure: string | null = null,
): Promise<Marked> {
  const handle = await tombstoneHandles(tx, content)
  const at = content.env.now()
  const records = new Map<string, number>()
  for (const patient of patients) {
    await tx
      .insertInto('content_erased')
      .values({ handle: handle(patient), at })
      .onConflict((oc) => oc.doNothing())
      .execute()
    for (const row of await recordsAbout(tx, patient)) records.set(row.record, Number(row.partition))
  }
  const ids = [...records.keys()]
  let landing = 0
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const some = ids.slice(i, i + AT_ONCE)
    const gone = await tx.deleteFrom('landing').where('record', 'in', some).executeTakeFirst()
    landing += Number(gone.numDeletedRows)
    await tx.deleteFrom('content_record').where('record', 'in', some).execute()
    await tx.deleteFrom('content_about').where('record', 'in', some).execute()
    await tx
      .insertInto('content_removed')
      .values(some.map((record) => ({ record, partition: records.get(record) ?? 0, erasure })))
      .onConflict((oc) =>
        oc.columns(['partition', 'record']).doUpdateSet((e) => ({ erasure: e.ref('excluded.erasure') })),
      )
      .execute()
  }
  const partitions = new Map<number, number>()
  for (const p of records.values()) partitions.set(p, (partitions.get(p) ?? 0) + 1)
  const marked = { partitions, records: ids.length, landing }
  if (erasure !== null) await notePlaces(tx, erasure, marked)
  return marked
}

/** Every record of the chart, and every record about someone else that is also about this chart. */
async function recordsAbout(
  tx: Tx<ContentTables>,
  patient: PatientKey,
): Promise<{ record: string; partition: number }[]> {
  const own = await tx
    .selectFrom('content_record')
    .select(['record', 'partition'])
    .where('owner', '=', patient)
    .execute()
  const shared = await tx
    .selectFrom('content_about as a')
    .innerJoin('content_record as r', 'r.record', 'a.record')
    .select(['r.record', 'r.partition'])
    .where('a.patient', '=', patient)
    .execute()
  return [...own, ...shared]
}
