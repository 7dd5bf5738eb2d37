import { sealControl } from '@kakehashi/protocol/control'
import type { Instant } from '@kakehashi/protocol/env'
import { REPORT_AGAIN_MS } from '@kakehashi/protocol/limits'
import { messageId, type KeyId, type MessageId } from '@kakehashi/protocol/ids'
import {
  CONTROL_VERSION,
  type ControlEnvelope,
  type DownControl,
  type UpControl,
} from '@kakehashi/protocol/messages'
import { fromBase64, keyIdOf, toBase64 } from '@kakehashi/protocol/signing'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'
import type { AgentContext } from '../context.ts'

export interface UplinkTables {
  /** Ids of messages already applied: each is applied once, however often it arrives. */
  control_in: { message: string; type: string; applied_at: number; acked: number }
  /**
   * Sealed at once, so that nothing lies here in the clear; emptied when the vault says that it has applied it (a
   * heartbeat: when the gateway holds it). `sent_at`: last handed to the gateway.
   */
  control_out: {
    seq: number
    message: string
    type: string
    created_at: number
    envelope: string | null
    sent_at: number | null
  }
  vault_key: { key: string; public: string; from_at: number }
  /** Checkpoints the hub showed us: kept, so that it can never show another history. */
  witness: { seq: number; at: number; checkpoint: string; standing: string }
}

export const uplinkMigrations: readonly Migration[] = [
  {
    name: 'uplink-001',
    up: (w) => [
      `CREATE TABLE control_in (message ${w.text} PRIMARY KEY, type ${w.text} NOT NULL, applied_at ${w.int} NOT NULL, acked ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX control_in_unacked ON control_in (acked) WHERE acked = 0`,
      `CREATE TABLE control_out (seq ${w.int} PRIMARY KEY, message ${w.text} NOT NULL UNIQUE, type ${w.text} NOT NULL, created_at ${w.int} NOT NULL, envelope ${w.text})${w.strict}`,
      `CREATE INDEX control_out_waiting ON control_out (seq) WHERE envelope IS NOT NULL`,
      `CREATE TABLE vault_key (key ${w.text} PRIMARY KEY, public ${w.text} NOT NULL, from_at ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE witness (seq ${w.int} PRIMARY KEY, at ${w.int} NOT NULL, checkpoint ${w.text} NOT NULL, standing ${w.text} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: 'uplink-002',
    up: (w) => [`ALTER TABLE control_out ADD COLUMN sent_at ${w.int}`],
  },
]

export type UplinkReader = Pick<Kysely<UplinkTables>, 'selectFrom'>
export type UplinkTx = Tx<UplinkTables>

type WithoutHead<T> = T extends unknown ? Omit<T, 'version' | 'message' | 'at'> : never
export type UpDraft = WithoutHead<UpControl>

/** The vault's sealing key in force: the newest announced one whose time has come, else the one of enrolment. */
export async function vaultKeyAt(
  db: UplinkReader,
  context: Pick<AgentContext, 'hub'>,
  now: Instant,
): Promise<{ id: KeyId; public: Uint8Array }> {
  const row = await db
    .selectFrom('vault_key')
    .select('public')
    .where('from_at', '<=', now)
    .orderBy('from_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  const open = fromBase64(row?.public ?? context.hub.vaultKey)
  return { id: keyIdOf(open), public: open }
}

/** Seals a message to the vault and queues it in the caller's transaction: it travels if and only if that commits. */
export async function enqueueControl(
  tx: UplinkTx,
  context: Pick<AgentContext, 'env' | 'hub' | 'keys'>,
  draft: UpDraft,
): Promise<MessageId> {
  const now = context.env.now()
  const message = messageId(context.env.id())
  const body = { ...draft, version: CONTROL_VERSION, message, at: now } as UpControl
  const envelope = sealControl(
    body,
    { agent: context.keys.agent, direction: 'up', recipient: await vaultKeyAt(tx, context, now) },
    context.keys.signing,
    context.env,
  )
  const last = await tx
    .selectFrom('control_out')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  await tx
    .insertInto('control_out')
    .values({
      seq: (last?.seq ?? 0) + 1,
      message,
      type: draft.type,
      created_at: now,
      envelope: JSON.stringify(envelope),
      sent_at: null,
    })
    .execute()
  return message
}

/** What a hub before 0.2 would take for a forgery. */
export const NEWER_VERBS: readonly UpControl['type'][] = [
  'stop-elsewhere-asked',
  'records-asked',
  'charts-freed',
  'notice-text-declared',
  'slip-handed',
]

/**
 * The oldest message to be said: never said yet, or not answered by the vault for long. What an older hub does not know
 * waits until it is a newer one.
 */
export async function nextControlOut(db: UplinkReader, now: Instant): Promise<ControlEnvelope | null> {
  const waiting = db
    .selectFrom('control_out')
    .select(['envelope', 'type'])
    .where('envelope', 'is not', null)
    .where((e) => e.or([e('sent_at', 'is', null), e('sent_at', '<=', now - REPORT_AGAIN_MS)]))
    .orderBy('seq')
    .limit(1)
  const first = await waiting.executeTakeFirst()
  const held = NEWER_VERBS.some((verb) => verb === first?.type) && !(await hubIsCurrent(db))
  const row = held ? await waiting.where('type', 'not in', [...NEWER_VERBS]).executeTakeFirst() : first
  return row?.envelope ? (JSON.parse(row.envelope) as ControlEnvelope) : null
}

/** Of these staff hear that they wait, whatever the hub’s version is. */
const STOPS = new Set<UpControl['type']>(['stop-reported', 'stop-elsewhere-asked'])

export interface Unanswered {
  /** Messages the vault has not said to have applied, and those of them that never left. */
  messages: number
  unsent: number
  /** When the oldest of the stops among them was recorded. */
  oldestStopAt: Instant | null
}

export async function unanswered(db: UplinkReader): Promise<Unanswered> {
  const rows = await db
    .selectFrom('control_out')
    .select(['type', 'created_at', 'sent_at'])
    .where('envelope', 'is not', null)
    .where('type', '!=', 'heartbeat')
    .where('type', 'not in', (await hubIsCurrent(db)) ? [] : NEWER_VERBS.filter((verb) => !STOPS.has(verb)))
    .execute()
  const stops = rows.filter((row) => STOPS.has(row.type as UpControl['type'])).map((row) => row.created_at)
  return {
    messages: rows.length,
    unsent: rows.filter((row) => row.sent_at === null).length,
    oldestStopAt: stops.length === 0 ? null : Math.min(...stops),
  }
}

/** The gateway holds it. Only a heartbeat needs no more: the next one says the same better. */
export async function markControlSent(tx: UplinkTx, message: MessageId, now: Instant): Promise<void> {
  await tx
    .updateTable('control_out')
    .set((e) => ({
      sent_at: now,
      envelope: e.case().when('type', '=', 'heartbeat').then(null).else(e.ref('envelope')).end(),
    }))
    .where('message', '=', message)
    .execute()
}

/** The vault's signed word that these took effect there. */
export async function markTaken(tx: UplinkTx, messages: readonly MessageId[]): Promise<void> {
  if (messages.length === 0) return
  await tx
    .updateTable('control_out')
    .set({ envelope: null })
    .where('message', 'in', [...messages])
    .execute()
}

/**
 * Whether the hub is of a version that takes what came with 0.2: it says of itself every day what only such a hub says.
 * An older one would take a message it does not know for a forgery.
 */
export async function hubIsCurrent(db: UplinkReader): Promise<boolean> {
  const row = await db
    .selectFrom('control_in')
    .select('message')
    .where('type', 'in', ['declaration-known', 'record-list'])
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function wasApplied(db: UplinkReader, message: MessageId): Promise<boolean> {
  const row = await db
    .selectFrom('control_in')
    .select('message')
    .where('message', '=', message)
    .executeTakeFirst()
  return row !== undefined
}

export async function markApplied(
  tx: UplinkTx,
  message: MessageId,
  type: DownControl['type'] | 'unreadable' | 'unknown',
  now: Instant,
): Promise<void> {
  await tx
    .insertInto('control_in')
    .values({ message, type, applied_at: now, acked: 0 })
    .onConflict((c) => c.column('message').doUpdateSet({ acked: 0 }))
    .execute()
}

export async function unacked(db: UplinkReader): Promise<MessageId[]> {
  const rows = await db
    .selectFrom('control_in')
    .select('message')
    .where('acked', '=', 0)
    .where('type', '!=', 'unreadable')
    .orderBy('applied_at')
    .limit(500)
    .execute()
  return rows.map((row) => row.message as MessageId)
}

export async function markAcked(tx: UplinkTx, messages: readonly MessageId[]): Promise<void> {
  if (messages.length === 0) return
  await tx
    .updateTable('control_in')
    .set({ acked: 1 })
    .where('message', 'in', [...messages])
    .execute()
}

export async function keepVaultKey(tx: UplinkTx, publicKey: string, from: Instant): Promise<void> {
  const open = fromBase64(publicKey)
  await tx
    .insertInto('vault_key')
    .values({ key: keyIdOf(open), public: toBase64(open), from_at: from })
    .onConflict((c) => c.column('key').doUpdateSet({ from_at: from }))
    .execute()
}
