import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Dead, type Host } from './host.ts'
import type { Prng } from './prng.ts'

const PAGE_BYTES = 1024
/** Under `synchronous=NORMAL` a commit reaches the platter only when the WAL is checkpointed. */
const CHECKPOINT_COMMITS = 12
const BACKUPS_KEPT = 4
/** A kept statement keeps what was last bound to it: long ones have hundreds of values. */
const KEPT_TEXT_MAX = 1000

/** How often it happens, and within how many half statements. */
export interface Brittleness {
  chance: number
  statements: number
  random: Prng
}

/** A batch is claimed, leaves, is stored; is looked up by the vault, is decided. */
const MOVES = [
  'update "outbox_batch" set "leg" = ?, "moved_at" = ? where "batch"',
  'update "gateway_batch" set "state"',
  'select * from "batch" where "batch" = ',
  'insert into "batch" ',
]

export type Synchronous = 'full' | 'normal'

/** What SQLite says when the operating system could not write. */
export class WriteFailed extends Error {
  override name = 'WriteFailed'
  readonly code = 'ERR_SQLITE_ERROR'
  readonly errcode = 10
  constructor() {
    super('disk I/O error')
  }
}

/**
 * One database file of one host: a real SQLite in memory. A killed process loses its open transaction; a power cut also
 * loses what was committed and not yet synced, which with `synchronous=FULL` is nothing. The platter is an image where
 * it differs from the file in memory, which outlives the processes: the next one finds it with everything SQLite has
 * parsed and prepared.
 */
export class Disk {
  readonly host: Host
  readonly name: string
  readonly synchronous: Synchronous
  /** Half statements until the process dies in the middle of its work; negative: not armed. */
  fuse = -1
  /** The fuse takes the whole machine with it. */
  fusePower = false
  /** Writes until one of them fails; negative: none will. */
  failing = -1
  /** The database part itself may be exchanged for one that changes statements (planted faults). */
  rewrite: ((text: string) => string) | null = null
  /** Something was committed since the checker last looked. */
  dirty = false
  audited = false
  /** Rare moments made common: the process may die just after a batch moved. */
  brittle: Brittleness | null = null
  backups: { at: number; image: Uint8Array }[] = []
  /** As it was when this history began. */
  readonly first: Uint8Array | null
  #file: DiskFile | null = null
  #live: Access | null = null
  #platter: Uint8Array | null
  #unsynced = 0
  #full = false

  constructor(host: Host, name: string, image: Uint8Array | null, synchronous: Synchronous = 'full') {
    this.host = host
    this.name = name
    this.#platter = image
    this.first = image
    this.synchronous = synchronous
    host.disks.push(this)
  }

  /** The database as the process that boots now finds it. */
  mount(): DatabaseSync {
    this.#file ??= new DiskFile(this.#platter)
    this.#file.recover()
    this.#file.limit(this.#full)
    this.#live = new Access(this, this.#file)
    return this.#live as unknown as DatabaseSync
  }

  /** For the checker's own eyes: sees what is committed, is no access of the process, cannot fail. */
  peek<T = Record<string, unknown>>(query: string, ...values: (string | number)[]): T[] {
    if (!this.#live || !this.#file) throw new Error(`${this.name} is not mounted`)
    return this.#file.look(query).all(...values) as T[]
  }

  mounted(): boolean {
    return this.#live !== null
  }

  /** Whether it is this access that has the file now. */
  open(access: object): boolean {
    return this.#live === access
  }

  /** The process is gone, the machine is not: what was committed stays. */
  kill(): void {
    if (this.#live) this.#file?.recover()
    if (this.#live && this.synchronous === 'normal') this.#platter = this.image()
    this.#unmount()
  }

  /** The machine lost power: only what was synced stays. */
  cutPower(): void {
    if (this.synchronous === 'full') return this.kill()
    if (this.#unsynced > 0) this.host.world.note(`${this.name} lost ${this.#unsynced} commits`)
    this.#unmount()
    this.#forget()
  }

  backUp(): void {
    if (!this.#live || !this.#file || this.#file.isTransaction) return
    this.backups.push({ at: this.host.world.now, image: this.#file.serialize() })
    this.backups = this.backups.slice(-BACKUPS_KEPT)
  }

  /** Puts an image in place of what is on the platter; only while the process is down. */
  restore(image: Uint8Array): void {
    if (this.#live) throw new Error('restore of a mounted disk')
    this.#forget()
    this.#platter = image
  }

  /** What is on the platter while nothing runs: what the next boot would find. */
  image(): Uint8Array {
    const image = this.#file ? this.#file.serialize() : this.#platter
    if (!image) throw new Error('nothing was ever written')
    return image
  }

  /** Everything a thief of the running machine would find: committed, open and freed pages alike. */
  bytes(): Uint8Array {
    return this.image()
  }

  /** The history is over: SQLite's memory is not the collector's, which would leave it for long. */
  discard(): void {
    this.#unmount()
    this.#forget()
    this.#platter = null
    this.backups = []
  }

  setFull(full: boolean): void {
    this.#full = full
    if (this.#live) this.#file?.limit(full)
  }

  isFull(): boolean {
    return this.#full
  }

  beforeStatement(boot: number, writes: boolean): void {
    this.#burn('killed mid-work')
    if (!this.host.alive(boot)) throw new Dead(`${this.host.name} is dead`)
    if (writes && this.failing >= 0 && this.failing-- === 0) {
      this.host.world.fault('write failed')
      throw new WriteFailed()
    }
  }

  afterStatement(boot: number, commits: boolean): void {
    if (commits) this.dirty = true
    if (commits) this.#sync()
    if (commits && this.fuse === 0) this.host.world.saw('death between commit and answer')
    this.#burn(commits ? 'killed between commit and answer' : 'killed mid-work')
    if (!this.host.alive(boot)) throw new Dead(`${this.host.name} is dead`)
  }

  batchMoved(): void {
    const { brittle } = this
    if (this.fuse >= 0 || !brittle?.random.chance(brittle.chance)) return
    this.fuse = brittle.random.below(brittle.statements)
  }

  #burn(how: string): void {
    if (this.fuse < 0 || this.fuse-- > 0) return
    this.host.world.fault(`${how}${this.fusePower ? ', power cut' : ''}`)
    if (!this.fusePower) return this.host.kill()
    this.host.world.saw('power cut with work under way')
    this.host.cutPower()
  }

  #sync(): void {
    if (this.synchronous === 'full' || !this.#live) return
    if (++this.#unsynced < CHECKPOINT_COMMITS) return
    this.#platter = this.image()
    this.#unsynced = 0
  }

  #forget(): void {
    this.#file?.close()
    this.#file = null
  }

  #unmount(): void {
    this.#live = null
    this.#unsynced = 0
    this.fuse = -1
    this.failing = -1
  }
}

/** The file itself, and the statements prepared on it so far. */
class DiskFile extends DatabaseSync {
  readonly #looks = new Map<string, StatementSync>()
  readonly #prepared = new Map<string, StatementSync>()

  constructor(image: Uint8Array | null) {
    super(':memory:')
    if (image) this.deserialize(image)
    else this.exec(`PRAGMA page_size = ${PAGE_BYTES}`)
    this.exec('PRAGMA foreign_keys = ON')
  }

  look(query: string): StatementSync {
    return this.#once(this.#looks, query)
  }

  /** For the processes; the checker's own are kept apart, since it looks while they read. */
  statement(text: string): StatementSync {
    return this.#once(this.#prepared, text)
  }

  #once(kept: Map<string, StatementSync>, text: string): StatementSync {
    const known = kept.get(text)
    if (known) return known
    const fresh = this.prepare(text)
    if (text.length <= KEPT_TEXT_MAX) kept.set(text, fresh)
    return fresh
  }

  /** What a process killed now leaves behind: an open transaction is undone, as SQLite's own recovery would. */
  recover(): void {
    if (this.isTransaction) this.exec('ROLLBACK')
  }

  /** A full disk: the file cannot grow any more; pages it freed can be used again. */
  limit(full: boolean): void {
    this.exec(`PRAGMA max_page_count = ${full ? 1 : 1_000_000}`)
  }
}

/** The file as one process has it open: each statement may be its last. */
class Access {
  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #boot: number

  constructor(disk: Disk, file: DiskFile) {
    this.#disk = disk
    this.#file = file
    this.#boot = disk.host.boot
  }

  get isOpen(): boolean {
    return this.#disk.open(this)
  }

  get isTransaction(): boolean {
    return this.isOpen && this.#file.isTransaction
  }

  prepare(text: string): StatementSync {
    if (!this.isOpen) throw new Dead(`${this.#disk.host.name} is dead`)
    const statement = this.#file.statement(this.#disk.rewrite?.(text) ?? text)
    const verb = text.trimStart().slice(0, 8).toLowerCase()
    const writes = !verb.startsWith('select') && !verb.startsWith('rollback')
    const alone = /^(insert|update|delete)/.test(verb)
    const ends = verb.startsWith('commit')
    const moves = MOVES.some((start) => text.startsWith(start))
    const audits = text.startsWith('insert into "audit_leaf"')
    const around = <R>(run: (...values: never[]) => R) => {
      return (...values: never[]): R => {
        this.#disk.beforeStatement(this.#boot, writes)
        if (audits) this.#disk.audited = true
        const result = this.#noting(run, values)
        if (moves) this.#disk.batchMoved()
        this.#disk.afterStatement(this.#boot, ends || (alone && !this.#file.isTransaction))
        return result
      }
    }
    const all = around((...values) => statement.all(...values))
    const watched = {
      columns: () => statement.columns(),
      all,
      get: around((...values) => statement.get(...values)),
      run: around((...values) => statement.run(...values)),
      iterate: (...values: never[]) => all(...values)[Symbol.iterator](),
    }
    return watched as unknown as StatementSync
  }

  /** Errors of the database belong in the trace: the programs may well keep them to themselves. */
  #noting<R>(run: (...values: never[]) => R, values: never[]): R {
    try {
      return run(...values)
    } catch (error) {
      if (error instanceof Error && 'errcode' in error && error.errcode === 13)
        this.#disk.host.world.saw('disk full met by a write')
      this.#disk.host.world.note(`${this.#disk.name}: ${error instanceof Error ? error.message : ''}`)
      throw error
    }
  }

  /** The process lets go of it; the file stays. */
  close(): void {}
}
