import { createHmac } from 'node:crypto'
import type { Instant } from '@kakehashi/protocol/env'
import { attemptMigration, type AttemptTables } from '@kakehashi/store/attempts'
import type { Migration } from '@kakehashi/store/migrate'
import type { Kysely } from 'kysely'
import { badgeText, isBadge, type Role } from './rules.ts'

export interface StaffTables extends AttemptTables {
  staff: {
    id: string
    name: string
    role: string
    /** As `hashSecret` wrote it. */
    pin: string
    /** Not `null`: made by the program, for one sign-in before this time. */
    pin_until: number | null
    /** Keyed hash of the barcode. */
    badge: string | null
    disabled_at: number | null
    /** Counts changes: a session begun under an earlier count is over. */
    version: number
  }
}

export const staffMigrations: readonly Migration[] = [
  {
    name: 'staff-001',
    up: (w) => [
      `CREATE TABLE staff (id ${w.text} PRIMARY KEY, name ${w.text} NOT NULL, role ${w.text} NOT NULL CHECK (role IN ('desk', 'privacy', 'it')), pin ${w.text} NOT NULL, pin_until ${w.int}, badge ${w.text} UNIQUE, disabled_at ${w.int}, version ${w.int} NOT NULL)${w.strict}`,
    ],
  },
  attemptMigration('staff-002-attempts'),
]

type Reader = Pick<Kysely<StaffTables>, 'selectFrom'>

export interface StaffMember {
  id: string
  name: string
  role: Role
  pin: string
  pinUntil: Instant | null
  disabled: boolean
  disabledAt: Instant | null
  version: number
}

const shown = (row: StaffTables['staff']): StaffMember => ({
  id: row.id,
  name: row.name,
  role: row.role as Role,
  pin: row.pin,
  pinUntil: row.pin_until,
  disabled: row.disabled_at !== null,
  disabledAt: row.disabled_at,
  version: row.version,
})

export async function readStaff(db: Reader, id: string): Promise<StaffMember | null> {
  const row = await db.selectFrom('staff').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? shown(row) : null
}

export async function listStaff(db: Reader): Promise<StaffMember[]> {
  return (await db.selectFrom('staff').selectAll().orderBy('id').execute()).map(shown)
}

export function badgeKey(keys: { about: Uint8Array }, scanned: string): string | null {
  const text = badgeText(scanned)
  if (!isBadge(text)) return null
  return createHmac('sha256', keys.about).update(`kakehashi/badge\0${text}`).digest('hex')
}

export async function staffByBadge(
  db: Reader,
  keys: { about: Uint8Array },
  scanned: string,
): Promise<StaffMember | null> {
  const badge = badgeKey(keys, scanned)
  if (badge === null) return null
  const row = await db.selectFrom('staff').selectAll().where('badge', '=', badge).executeTakeFirst()
  return row ? shown(row) : null
}
