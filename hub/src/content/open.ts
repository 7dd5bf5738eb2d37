import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { COLUMNS, type Content } from './content.ts'
import { exclusive } from './exclusive.ts'
import { ContentUnreadable } from './keys.ts'
import { unwrapKey } from './key-table.ts'
import { text, withinScratch, withScratch } from './memory.ts'
import { openFile } from './sealed-file.ts'
import { settle } from './settle.ts'

const ATTEMPTS_MAX = 3

/**
 * Runs `job` over a view `content` of the given partitions (default: all), opened into memory-backed files that
 * are removed when it ends. What has landed is settled first, so the view is complete.
 */
export async function openPartitions<T>(
  content: Content,
  job: (db: DuckDBConnection) => Promise<T>,
  partitions: readonly number[] | null = null,
): Promise<T> {
  await settle(content)
  return withScratch(content.memory, async ({ db, directory }) => {
    await viewOver(content, db, directory, partitions)
    return job(db)
  })
}

export async function settledPartitions(content: Content): Promise<number[]> {
  const rows = await content.store.db.selectFrom('content_partition').select('partition').execute()
  return rows.map((r) => Number(r.partition)).toSorted((a, b) => a - b)
}

/**
 * As {@link openPartitions}, for a job that has settled already and goes through the content one partition at a
 * time: never more than one is open, whatever the size of the whole.
 */
export async function eachPartition(
  content: Content,
  job: (db: DuckDBConnection, partition: number) => Promise<void>,
): Promise<void> {
  const partitions = await settledPartitions(content)
  await withScratch(content.memory, async (scratch) => {
    for (const partition of partitions)
      await withinScratch(scratch, async (directory) => {
        await viewOver(content, scratch.db, directory, [partition])
        await job(scratch.db, partition)
        await scratch.db.run('DROP VIEW IF EXISTS content')
      })
  })
}

async function viewOver(
  content: Content,
  db: DuckDBConnection,
  directory: string,
  partitions: readonly number[] | null,
): Promise<void> {
  const files = await exclusive(content.store, () => openInto(content, directory, partitions))
  const columns = COLUMNS.split(',').map((c) => c.trim().split(' '))
  const nothing = columns.map(([name, type]) => `NULL::${type} AS ${name}`).join(', ')
  const rows =
    files.length === 0 ? `SELECT ${nothing} WHERE false` : `SELECT * FROM read_parquet([${files.join(', ')}])`
  await db.run(`CREATE OR REPLACE VIEW content AS ${rows}`)
}

/** Another process may replace a file between manifest and reading: then the new manifest is read. */
async function openInto(
  content: Content,
  directory: string,
  partitions: readonly number[] | null,
): Promise<string[]> {
  for (let attempt = 1; ; attempt++)
    try {
      return await openOnce(content, join(directory, `try-${attempt}`), partitions)
    } catch (error) {
      const moved =
        error instanceof ContentUnreadable ||
        (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      if (!moved || attempt >= ATTEMPTS_MAX) throw error
    }
}

async function openOnce(
  content: Content,
  directory: string,
  partitions: readonly number[] | null,
): Promise<string[]> {
  await mkdir(directory, { mode: 0o700 })
  const manifest = await content.store.db.selectFrom('content_partition').selectAll().execute()
  const files: string[] = []
  for (const row of manifest) {
    if (partitions !== null && !partitions.includes(Number(row.partition))) continue
    const key = await unwrapKey(content.store.db, content, row.key_id)
    const plain = join(directory, `${row.partition}.parquet`)
    await openFile(join(content.directory, row.file), plain, key.secret, row.file)
    files.push(text(plain))
  }
  return files
}
