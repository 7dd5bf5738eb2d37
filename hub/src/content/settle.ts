import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api'
import type { Tx } from '@kakehashi/store/store'
import { COLUMNS, type Content } from './content.ts'
import { exclusive } from './exclusive.ts'
import { factsOf, NO_FACTS, type Facts } from './facts.ts'
import { destroyKey, keepKey, newContentKey, unwrapKey } from './key-table.ts'
import { openUnder } from './keys.ts'
import { isRunning, text, withinScratch, withScratch, type Scratch } from './memory.ts'
import { openFile, sealFile, syncDirectory, type SealedFile } from './sealed-file.ts'
import { lastSeq } from './landing.ts'
import type { ContentTables } from './store.ts'

const READ_ROWS = 500
const ROW_GROUP = 20_000
/** Rows of one partition that are staged in memory at once. */
const STAGE_ROWS_MAX = 50_000
const ATTEMPTS_MAX = 5

export interface Settled {
  partitions: number[]
  records: number
  keysDestroyed: string[]
}

/** Moves what has landed, and what was removed, into the partition files concerned, one partition at a time. */
export async function settle(content: Content): Promise<Settled> {
  await exclusive(content.store, () => sweepFiles(content))
  const settled: Settled = { partitions: [], records: 0, keysDestroyed: [] }
  const upTo = await lastSeq(content.store.db)
  for (let unsettled = await unsettledPartitions(content); unsettled.length > 0;) {
    await rewritePartitions(content, unsettled, settled)
    settled.partitions = [...new Set([...settled.partitions, ...unsettled])]
    unsettled = await landedPartitions(content, upTo)
  }
  return settled
}

/** Writes the partitions anew, each under a fresh key, and counts into `into`. */
export async function rewritePartitions(
  content: Content,
  partitions: readonly number[],
  into: Rewritten,
): Promise<void> {
  await withScratch(content.memory, async (scratch) => {
    for (const partition of partitions) {
      const one = await rewritePartition(content, partition, scratch)
      into.records += one.records
      into.keysDestroyed.push(...one.keysDestroyed)
    }
  })
}

export async function unsettledPartitions(content: Content): Promise<number[]> {
  const { db } = content.store
  const landed = await landedPartitions(content, Number.MAX_SAFE_INTEGER)
  const removed = await db.selectFrom('content_removed').select('partition').distinct().execute()
  return [...new Set([...landed, ...removed.map((r) => Number(r.partition))])].toSorted((a, b) => a - b)
}

async function landedPartitions(content: Content, upTo: number): Promise<number[]> {
  const rows = await content.store.db
    .selectFrom('landing')
    .select('partition')
    .distinct()
    .where('seq', '<=', upTo)
    .execute()
  return rows.map((r) => Number(r.partition))
}

export interface Rewritten {
  records: number
  keysDestroyed: string[]
}

/**
 * Writes a partition anew under a fresh key: new file, fsync, manifest row and destruction of the old keys in one
 * transaction, then the old file goes. A new key reaches the store only with its manifest row, so a file left by a
 * crash can be read by nobody.
 */
async function rewritePartition(content: Content, partition: number, scratch: Scratch): Promise<Rewritten> {
  return exclusive(content.store, async () => {
    for (let attempt = 1; ; attempt++)
      try {
        return await rewriteAlone(content, partition, scratch)
      } catch (error) {
        if (!(error instanceof PartitionMoved) || attempt >= ATTEMPTS_MAX) throw error
      }
  })
}

/** Files this process is writing and has not yet named in the manifest. */
const writing = new Set<string>()

/** Another process wrote the partition meanwhile: ours is thrown away and made again from theirs. */
class PartitionMoved extends Error {
  override name = 'PartitionMoved'
}

async function rewriteAlone(content: Content, partition: number, scratch: Scratch): Promise<Rewritten> {
  await mkdir(content.directory, { recursive: true, mode: 0o700 })
  const { db } = content.store
  const old = await db
    .selectFrom('content_partition')
    .selectAll()
    .where('partition', '=', partition)
    .executeTakeFirst()
  const upTo = await lastLanded(content, partition)
  const removed = (
    await db.selectFrom('content_removed').select('record').where('partition', '=', partition).execute()
  ).map((r) => r.record)
  const key = newContentKey(content.env)
  const file = `p${String(partition).padStart(3, '0')}-${process.pid}-${content.env.id()}.sealed`
  // @NOTE a file whose commit failed is not removed here: whether it counts, only the manifest knows. The sweep asks it.
  writing.add(file)
  const written = await withinScratch(scratch, async (directory) => {
    const plain = join(directory, 'new.parquet')
    if (old) await openOld(content, old, join(directory, 'old.parquet'))
    await stageLanding(content, scratch.db, partition, upTo)
    await stageRemoved(scratch.db, removed)
    const records = await writeParquet(scratch.db, directory, old !== undefined, plain)
    const sealed =
      records === 0 ? null : await sealFile(plain, join(content.directory, file), key.secret, file)
    return { records, sealed }
  }).catch((error: unknown) => {
    writing.delete(file)
    throw error
  })
  const next = written.sealed && { file, key, sealed: written.sealed, records: written.records }
  const keysDestroyed = await content.store
    .transact<string[]>(
      (destroyed) => ({
        act: 'content.partition-written',
        actor: 'vault',
        detail: { partition, records: written.records, keysDestroyed: destroyed.length },
      }),
      (tx) => commitPartition(tx, content, { partition, old, next, upTo, removed }),
    )
    .finally(() => writing.delete(file))
  if (old) {
    await rm(join(content.directory, old.file), { force: true })
    await syncDirectory(content.directory)
  }
  return { records: written.records, keysDestroyed }
}

async function openOld(content: Content, old: ContentTables['content_partition'], to: string): Promise<void> {
  try {
    const key = await unwrapKey(content.store.db, content, old.key_id)
    await openFile(join(content.directory, old.file), to, key.secret, old.file)
  } catch (error) {
    const now = await content.store.db
      .selectFrom('content_partition')
      .select('file')
      .where('partition', '=', old.partition)
      .executeTakeFirst()
    throw now?.file === old.file ? error : new PartitionMoved('the partition was written meanwhile')
  }
}

/** Up to which sequence number this rewriting takes landed rows: a full stage, or all there are. */
async function lastLanded(content: Content, partition: number): Promise<number> {
  const rows = content.store.db.selectFrom('landing').where('partition', '=', partition)
  const full = await rows
    .select('seq')
    .orderBy('seq')
    .limit(1)
    .offset(STAGE_ROWS_MAX - 1)
    .executeTakeFirst()
  if (full) return Number(full.seq)
  const last = await rows.select((e) => e.fn.max('seq').as('seq')).executeTakeFirst()
  return Number(last?.seq ?? 0)
}

async function stageLanding(
  content: Content,
  duck: DuckDBConnection,
  partition: number,
  upTo: number,
): Promise<void> {
  await duck.run(`CREATE OR REPLACE TABLE landed (${COLUMNS})`)
  const appender = await duck.createAppender('landed')
  const secrets = new Map<string, Uint8Array>()
  for (let after = 0; ;) {
    const rows = await content.store.db
      .selectFrom('landing')
      .selectAll()
      .where('partition', '=', partition)
      .where('seq', '>', after)
      .where('seq', '<=', upTo)
      .orderBy('seq')
      .limit(READ_ROWS)
      .execute()
    for (const row of rows) {
      let secret = secrets.get(row.key_id)
      if (!secret) {
        secret = (await unwrapKey(content.store.db, content, row.key_id)).secret
        secrets.set(row.key_id, secret)
      }
      appendRow(appender, row, openUnder(secret, row.sealed, `${row.record}/${row.seq}`))
    }
    appender.flushSync()
    const last = rows.at(-1)
    if (!last) break
    after = Number(last.seq)
  }
  appender.closeSync()
}

function appendRow(appender: DuckDBAppender, row: ContentTables['landing'], plain: Uint8Array): void {
  const { payload, facts } = readPayload(row.media, plain)
  const texts = [row.owner, row.type, row.record, row.item, facts.system, facts.code, facts.effective]
  for (const value of texts) putText(appender, value)
  if (facts.number === null) appender.appendNull()
  else appender.appendDouble(facts.number)
  for (const value of [facts.valueCode, facts.unit, facts.status]) putText(appender, value)
  appender.appendInteger(Number(row.people))
  appender.appendVarchar(row.batch)
  appender.appendBigInt(BigInt(row.seq))
  appender.appendVarchar(row.media)
  appender.appendVarchar(payload)
  appender.endRow()
}

function putText(appender: DuckDBAppender, value: string | null): void {
  if (value === null) appender.appendNull()
  else appender.appendVarchar(value)
}

function readPayload(media: string, plain: Uint8Array): { payload: string; facts: Facts } {
  if (!media.includes('json')) return { payload: Buffer.from(plain).toString('base64'), facts: NO_FACTS }
  const payload = new TextDecoder().decode(plain)
  try {
    return { payload, facts: factsOf(JSON.parse(payload) as Record<string, unknown>) }
  } catch {
    return { payload, facts: NO_FACTS }
  }
}

async function stageRemoved(duck: DuckDBConnection, removed: readonly string[]): Promise<void> {
  await duck.run('CREATE OR REPLACE TABLE removed (record VARCHAR)')
  const appender = await duck.createAppender('removed')
  for (const record of removed) {
    appender.appendVarchar(record)
    appender.endRow()
  }
  appender.closeSync()
}

async function writeParquet(
  duck: DuckDBConnection,
  directory: string,
  hasOld: boolean,
  plain: string,
): Promise<number> {
  const kept = `SELECT * FROM read_parquet(${text(join(directory, 'old.parquet'))})
    WHERE record NOT IN (SELECT record FROM removed) AND record NOT IN (SELECT record FROM landed)`
  await duck.run(
    `COPY (SELECT * FROM (SELECT * FROM landed ${hasOld ? `UNION ALL ${kept}` : ''}) ORDER BY owner, type, record)
     TO ${text(plain)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
  )
  await duck.run('DROP TABLE landed')
  const counted = await duck.runAndReadAll(`SELECT count(*)::INTEGER FROM read_parquet(${text(plain)})`)
  return Number(counted.getRows()[0]?.[0] ?? 0)
}

interface NextFile {
  file: string
  key: { id: string; secret: Uint8Array }
  sealed: SealedFile
  records: number
}

async function commitPartition(
  tx: Tx<ContentTables>,
  content: Content,
  change: {
    partition: number
    old: ContentTables['content_partition'] | undefined
    next: NextFile | null
    upTo: number
    removed: readonly string[]
  },
): Promise<string[]> {
  const { partition, old, next } = change
  const at = content.env.now()
  const now = await tx
    .selectFrom('content_partition')
    .select('file')
    .where('partition', '=', partition)
    .executeTakeFirst()
  if (now?.file !== old?.file) throw new PartitionMoved('the partition was written meanwhile')
  await tx.deleteFrom('content_partition').where('partition', '=', partition).execute()
  if (next) {
    await keepKey(tx, content, next.key, { purpose: 'file', partition })
    await tx
      .insertInto('content_partition')
      .values({
        partition,
        file: next.file,
        key_id: next.key.id,
        records: next.records,
        ...next.sealed,
        written_at: at,
      })
      .execute()
  }
  await tx.deleteFrom('landing').where('partition', '=', partition).where('seq', '<=', change.upTo).execute()
  const erasures = await erasuresOf(tx, partition, change.removed)
  for (let i = 0; i < change.removed.length; i += READ_ROWS)
    await tx
      .deleteFrom('content_removed')
      .where('partition', '=', partition)
      .where('record', 'in', change.removed.slice(i, i + READ_ROWS))
      .execute()
  const destroyed = [...(old ? [old.key_id] : []), ...(await idleLandingKeys(tx, partition))]
  for (const id of destroyed) await destroyKey(tx, id, at)
  for (const erasure of erasures)
    for (const key of destroyed)
      await tx
        .insertInto('content_erasure_key')
        .values({ erasure, key })
        .onConflict((oc) => oc.doNothing())
        .execute()
  return destroyed
}

/** The erasures whose rows this writing leaves out: the keys it destroys are theirs, whoever writes. */
async function erasuresOf(
  tx: Tx<ContentTables>,
  partition: number,
  removed: readonly string[],
): Promise<Set<string>> {
  const erasures = new Set<string>()
  for (let i = 0; i < removed.length; i += READ_ROWS)
    for (const { erasure } of await tx
      .selectFrom('content_removed')
      .select('erasure')
      .distinct()
      .where('partition', '=', partition)
      .where('record', 'in', removed.slice(i, i + READ_ROWS))
      .where('erasure', 'is not', null)
      .execute())
      if (erasure !== null) erasures.add(erasure)
  return erasures
}

/** A landing key no row needs any more dies with the rows it sealed; the next landing makes a new one. */
async function idleLandingKeys(tx: Tx<ContentTables>, partition: number): Promise<string[]> {
  const keys = await tx
    .selectFrom('content_key')
    .select('id')
    .where('purpose', '=', 'landing')
    .where('partition', '=', partition)
    .where('destroyed_at', 'is', null)
    .where('id', 'not in', (q) => q.selectFrom('landing').select('key_id').distinct())
    .execute()
  return keys.map((k) => k.id)
}

/** Files that no manifest row names and no living process is writing: left by a crash, unreadable, removed. */
async function sweepFiles(content: Content): Promise<void> {
  const present = await readdir(content.directory).catch(() => [])
  const rows = await content.store.db.selectFrom('content_partition').select('file').execute()
  const named = new Set(rows.map((r) => r.file))
  for (const file of present) {
    const pid = Number(/^p\d+-(\d+)-.*\.sealed$/.exec(file)?.[1] ?? Number.NaN)
    const mine = pid === process.pid
    if (Number.isNaN(pid) || named.has(file) || (mine ? writing.has(file) : isRunning(pid))) continue
    await rm(join(content.directory, file), { force: true })
  }
}
