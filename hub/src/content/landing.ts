import type { BatchId, FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import { recordKeyText, type SourceRecord, type Tombstone } from '@kakehashi/protocol/records'
import type { Tx } from '@kakehashi/store/store'
import { currentKey, tombstoneHandles, type ContentKeys } from './key-table.ts'
import { sealUnder } from './keys.ts'
import { ownerOf, partitionOf, recordHash } from './partition.ts'
import type { Reading } from './reading.ts'
import { contentPart } from './split.ts'
import type { ContentTables } from './store.ts'

export interface Landed {
  /** New records, and new versions of known ones. */
  landed: number
  versions: number
  duplicates: number
  tombstoned: number
  /** Identity resources that content does not keep. */
  identityOnly: number
  /** Records of erased patients, by index into `records`: refuse them as `ERASED`. */
  erased: number[]
}

type Known = Pick<
  ContentTables['content_record'],
  'hash' | 'partition' | 'owner' | 'version' | 'gone' | 'seq' | 'facility' | 'key'
>

const LOOKUP_MAX = 400
const INSERT_MAX = 200

/**
 * Stores accepted records and applies tombstones, inside the admission's transaction. Records already held with
 * the same content are dropped; the same id with other content replaces its older version.
 */
export async function landRecords(
  tx: Tx<ContentTables>,
  keys: ContentKeys,
  about: { batch: BatchId; facility: FacilityId },
  records: readonly SourceRecord[],
  tombstones: readonly Tombstone[] = [],
): Promise<Landed> {
  const result: Landed = {
    landed: 0,
    versions: 0,
    duplicates: 0,
    tombstoned: 0,
    identityOnly: 0,
    erased: [],
  }
  const ids = [...records, ...tombstones].map((r) => recordHash(about.facility, r.key))
  const known = await knownRecords(tx, ids)
  const erased = await erasedAmong(tx, keys, [...records, ...tombstones])
  const batch = new LandingBatch(tx, keys, about, await lastSeq(tx))
  const unnamed: { record: string; key: string }[] = []
  for (const [index, record] of records.entries()) {
    const id = ids[index] ?? ''
    if (record.patients.some((p) => erased.has(p))) {
      result.erased.push(index)
      continue
    }
    const before = known.get(id)
    if (before && before.gone === 0 && before.hash === record.contentHash) {
      result.duplicates++
      if (before.key === null) unnamed.push({ record: id, key: recordKeyText(record.key) })
      continue
    }
    const part = contentPart(record)
    known.set(id, await batch.add(id, record, part, before))
    if (part === null) {
      result.identityOnly++
      continue
    }
    result.landed++
    if (before) result.versions++
  }
  await batch.flush()
  await nameOlder(tx, about.facility, unnamed)
  result.tombstoned = await takeBack(tx, ids.slice(records.length), known)
  return result
}

/** Rows of before the columns were: what came again says what the hospital calls them. */
async function nameOlder(
  tx: Tx<ContentTables>,
  facility: FacilityId,
  unnamed: readonly { record: string; key: string }[],
): Promise<void> {
  for (const { record, key } of unnamed)
    await tx.updateTable('content_record').set({ facility, key }).where('record', '=', record).execute()
}

/** By tombstones; what was removed is the newest of its facility, as what came is. Answers how many were held. */
async function takeBack(
  tx: Tx<ContentTables>,
  ids: readonly string[],
  known: Map<string, Known>,
): Promise<number> {
  const held = [...new Set(ids)].filter((id) => known.get(id)?.gone === 0)
  let seq = await lastSeq(tx)
  for (const id of held) {
    await removeRecord(tx, id, known.get(id)?.partition ?? 0)
    await tx.updateTable('content_record').set({ seq: ++seq }).where('record', '=', id).execute()
  }
  if (held.length > 0) await setSeq(tx, seq)
  return held.length
}

class LandingBatch {
  readonly #tx: Tx<ContentTables>
  readonly #keys: ContentKeys
  readonly #about: { batch: BatchId; facility: FacilityId }
  readonly #secrets = new Map<number, { id: string; secret: Uint8Array }>()
  readonly #replaced = new Set<string>()
  #rows = new Map<string, ContentTables['landing']>()
  #records = new Map<string, ContentTables['content_record']>()
  #furtherPeople: ContentTables['content_about'][] = []
  #seq: number
  constructor(
    tx: Tx<ContentTables>,
    keys: ContentKeys,
    about: { batch: BatchId; facility: FacilityId },
    seq: number,
  ) {
    this.#tx = tx
    this.#keys = keys
    this.#about = about
    this.#seq = seq
  }

  /** `part` is `null` where the identity store alone keeps the content. */
  async add(
    id: string,
    record: SourceRecord,
    part: Uint8Array | null,
    before: Known | undefined,
  ): Promise<Known> {
    const owner = ownerOf(this.#about.facility, record.patients)
    const partition = partitionOf(owner)
    const seq = ++this.#seq
    if (before) this.#replaced.add(id)
    if (before && before.partition !== partition) await removeRecord(this.#tx, id, before.partition)
    const row: Known = {
      hash: record.contentHash,
      partition,
      owner,
      version: (before?.version ?? 0) + 1,
      gone: 0,
      seq,
      facility: this.#about.facility,
      key: recordKeyText(record.key),
    }
    this.#records.set(id, { record: id, ...row })
    if (part !== null) await this.#land(id, record, part, row)
    for (const patient of record.patients)
      if (patient !== owner) this.#furtherPeople.push({ patient, record: id })
    if (this.#records.size >= INSERT_MAX) await this.flush()
    return row
  }

  async #land(
    id: string,
    record: SourceRecord,
    part: Uint8Array,
    { partition, owner, seq }: Known,
  ): Promise<void> {
    const key = await this.#key(partition)
    this.#rows.set(id, {
      seq,
      partition,
      record: id,
      owner,
      type: record.key.type,
      item: record.item,
      batch: this.#about.batch,
      media: record.mediaType,
      people: record.patients.length,
      key_id: key.id,
      sealed: sealUnder(key.secret, part, `${id}/${seq}`, this.#keys.env),
    })
  }

  async flush(): Promise<void> {
    if (this.#records.size === 0) return
    const tx = this.#tx
    const replaced = [...this.#replaced]
    if (replaced.length > 0) {
      await tx.deleteFrom('landing').where('record', 'in', replaced).execute()
      await tx.deleteFrom('content_about').where('record', 'in', replaced).execute()
    }
    if (this.#rows.size > 0)
      await tx
        .insertInto('landing')
        .values([...this.#rows.values()])
        .execute()
    await tx
      .insertInto('content_record')
      .values([...this.#records.values()])
      .onConflict((oc) =>
        oc.column('record').doUpdateSet((eb) => ({
          partition: eb.ref('excluded.partition'),
          owner: eb.ref('excluded.owner'),
          hash: eb.ref('excluded.hash'),
          seq: eb.ref('excluded.seq'),
          version: eb.ref('excluded.version'),
          gone: eb.ref('excluded.gone'),
          facility: eb.ref('excluded.facility'),
          key: eb.ref('excluded.key'),
        })),
      )
      .execute()
    if (this.#furtherPeople.length > 0)
      await tx
        .insertInto('content_about')
        .values(this.#furtherPeople)
        .onConflict((oc) => oc.doNothing())
        .execute()
    await setSeq(tx, this.#seq)
    this.#rows = new Map()
    this.#records = new Map()
    this.#furtherPeople = []
    this.#replaced.clear()
  }

  async #key(partition: number): Promise<{ id: string; secret: Uint8Array }> {
    const held = this.#secrets.get(partition)
    if (held) return held
    const key = await currentKey(this.#tx, this.#keys, { purpose: 'landing', partition })
    this.#secrets.set(partition, key)
    return key
  }
}

async function knownRecords(tx: Tx<ContentTables>, ids: readonly string[]): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  for (let at = 0; at < ids.length; at += LOOKUP_MAX) {
    const rows = await tx
      .selectFrom('content_record')
      .selectAll()
      .where('record', 'in', ids.slice(at, at + LOOKUP_MAX))
      .execute()
    for (const { record, ...row } of rows) known.set(record, row)
  }
  return known
}

async function erasedAmong(
  tx: Tx<ContentTables>,
  keys: ContentKeys,
  records: readonly { patients: PatientKey[] }[],
): Promise<Set<PatientKey>> {
  const any = await tx.selectFrom('content_erased').select('handle').limit(1).executeTakeFirst()
  if (!any) return new Set()
  const handle = await tombstoneHandles(tx, keys)
  const byHandle = new Map(records.flatMap((r) => r.patients).map((p) => [handle(p), p]))
  const handles = [...byHandle.keys()]
  const erased = new Set<PatientKey>()
  for (let at = 0; at < handles.length; at += LOOKUP_MAX) {
    const rows = await tx
      .selectFrom('content_erased')
      .select('handle')
      .where('handle', 'in', handles.slice(at, at + LOOKUP_MAX))
      .execute()
    for (const row of rows) {
      const patient = byHandle.get(row.handle)
      if (patient) erased.add(patient)
    }
  }
  return erased
}

/** Takes a record out of landing and marks it for leaving out of its partition file. */
async function removeRecord(tx: Tx<ContentTables>, record: string, partition: number): Promise<void> {
  await tx.deleteFrom('landing').where('record', '=', record).execute()
  await tx.updateTable('content_record').set({ gone: 1 }).where('record', '=', record).execute()
  await tx
    .insertInto('content_removed')
    .values({ partition, record, erasure: null })
    .onConflict((oc) => oc.doNothing())
    .execute()
}

export async function lastSeq(tx: Reading<ContentTables>): Promise<number> {
  const row = await tx
    .selectFrom('content_counter')
    .select('value')
    .where('name', '=', 'seq')
    .executeTakeFirst()
  return Number(row?.value ?? 0)
}

async function setSeq(tx: Tx<ContentTables>, value: number): Promise<void> {
  await tx
    .insertInto('content_counter')
    .values({ name: 'seq', value })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value }))
    .execute()
}
