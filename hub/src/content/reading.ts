import type { Kysely } from 'kysely'

/** The reading half of a database or an open transaction. */
export type Reading<DB> = Pick<Kysely<DB>, 'selectFrom'>
