import { chmod, mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'

/** Linux's memory-backed file system; opened partitions exist here and nowhere else. */
export const MEMORY_ROOT = '/dev/shm'

const TMPFS = 0x01021994
const RAMFS = 0x858458f6
const PREFIX = 'kakehashi-open-'

export class NoMemoryFiles extends Error {
  override name = 'NoMemoryFiles'
}

/**
 * Runs `job` with a fresh directory (0700) of a memory-backed file system and removes it afterwards, also when the
 * job throws. What a killed process left is removed at the next call.
 */
export async function withMemory<T>(root: string, job: (directory: string) => Promise<T>): Promise<T> {
  const { type } = await statfs(root)
  if (type !== TMPFS && type !== RAMFS)
    throw new NoMemoryFiles(`${root} is no memory-backed file system: opened content would touch a disk`)
  await sweep(root)
  const directory = await mkdtemp(join(root, `${PREFIX}${process.pid}-`))
  await chmod(directory, 0o700)
  try {
    return await job(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function sweep(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN
    if (Number.isNaN(pid) || pid === process.pid || isRunning(pid)) continue
    // Another user's is not ours to remove.
    await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined)
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * A DuckDB of its own in memory that may touch `directory` (and `also`) and nothing else: spilling goes there too, extensions are
 * neither fetched nor loaded, and the settings are locked.
 */
export async function withDuckDB<T>(
  directory: string,
  job: (db: DuckDBConnection) => Promise<T>,
  options: { memoryMB?: number; also?: readonly string[] } = {},
): Promise<T> {
  const { memoryMB = 768, also = [] } = options
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: `${memoryMB}MB`,
    temp_directory: join(directory, 'spill'),
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  })
  try {
    const db = await instance.connect()
    try {
      await db.run(`SET allowed_directories = [${[directory, ...also].map((d) => text(d)).join(', ')}]`)
      await db.run('SET enable_external_access = false')
      await db.run('SET lock_configuration = true')
      return await job(db)
    } finally {
      db.closeSync()
    }
  } finally {
    instance.closeSync()
  }
}

/** A string literal of SQL. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** One memory-backed directory and one DuckDB in it, for a job that goes from partition to partition. */
export interface Scratch {
  directory: string
  db: DuckDBConnection
}

export async function withScratch<T>(root: string, job: (scratch: Scratch) => Promise<T>): Promise<T> {
  return withMemory(root, (directory) => withDuckDB(directory, (db) => job({ directory, db })))
}

/** A directory inside the scratch for one step, removed with everything in it when the step ends. */
export async function withinScratch<T>(
  scratch: Scratch,
  step: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(scratch.directory, 'step-'))
  try {
    return await step(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
