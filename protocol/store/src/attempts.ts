import { createHmac } from 'node:crypto'
import type { Migration } from './migrate.ts'
import type { Store, Tx } from './store.ts'

const FREE_FAILURES = 4
const WAIT_MS_FIRST = 30_000
const WAIT_MS_MAX = 15 * 60_000
const NAMES_MAX = 1_000
/** Mistakes of another day are forgotten. */
const REMEMBERED_MS = 24 * 3_600_000

export interface AttemptTables {
  /** Guesses at a secret, by a keyed hash of the name as it was typed: somebody types a PIN there one day. */
  attempt: { name: string; failures: number; failed_at: number; wait_until: number }
}

export function attemptMigration(name: string): Migration {
  return {
    name,
    up: (w) => [
      `CREATE TABLE attempt (name ${w.text} PRIMARY KEY, failures ${w.int} NOT NULL, failed_at ${w.int} NOT NULL, wait_until ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX attempt_failed_at ON attempt (failed_at)`,
    ],
  }
}

function waitAfter(failures: number): number {
  const over = failures - FREE_FAILURES
  return over > 0 ? Math.min(WAIT_MS_FIRST * 2 ** (over - 1), WAIT_MS_MAX) : 0
}

/**
 * Waiting time that doubles with every failure past the fourth, per name. Kept in the store: pages and commands count
 * together, and starting anew gives no fresh guesses.
 */
export class Attempts {
  readonly #store: Store<AttemptTables>
  readonly #key: Uint8Array
  constructor(store: Store<AttemptTables>, key: Uint8Array) {
    this.#store = store
    this.#key = key
  }

  async waitMs(name: string): Promise<number> {
    const row = await this.#read(this.#store.db, name)
    return Math.max(0, Number(row?.wait_until ?? 0) - this.#store.env.now())
  }

  /**
   * How long to wait; 0: go on and check the secret. It counts as failed from here until {@link succeeded}, so that a
   * hundred guesses at once are not all the first.
   */
  async begin(name: string): Promise<number> {
    return this.#store.bookkeep(async (tx) => {
      const now = this.#store.env.now()
      const row = await this.#read(tx, name)
      const wait = Math.max(0, Number(row?.wait_until ?? 0) - now)
      if (wait > 0) return wait
      const forgotten = !row || now - Number(row.failed_at) > REMEMBERED_MS
      const failures = forgotten ? 1 : Number(row.failures) + 1
      const said = { failures, failed_at: now, wait_until: now + waitAfter(failures) }
      if (!row) await this.#makeRoom(tx)
      await tx
        .insertInto('attempt')
        .values({ name: this.#hash(name), ...said })
        .onConflict((c) => c.column('name').doUpdateSet(said))
        .execute()
      return 0
    })
  }

  async succeeded(name: string): Promise<void> {
    await this.#store.bookkeep((tx) =>
      tx.deleteFrom('attempt').where('name', '=', this.#hash(name)).execute(),
    )
  }

  /** The oldest name goes, never all: filling the list must not free the name under attack. */
  async #makeRoom(tx: Tx<AttemptTables>): Promise<void> {
    const { n } = await tx
      .selectFrom('attempt')
      .select((e) => e.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    if (Number(n) < NAMES_MAX) return
    const oldest = await tx.selectFrom('attempt').select('name').orderBy('failed_at').limit(1).execute()
    for (const { name } of oldest) await tx.deleteFrom('attempt').where('name', '=', name).execute()
  }

  #read(db: Pick<Tx<AttemptTables>, 'selectFrom'>, name: string) {
    return db
      .selectFrom('attempt')
      .select(['failures', 'failed_at', 'wait_until'])
      .where('name', '=', this.#hash(name))
      .executeTakeFirst()
  }

  #hash(name: string): string {
    return createHmac('sha256', this.#key).update(`kakehashi/attempt\0${name}`).digest('hex')
  }
}
