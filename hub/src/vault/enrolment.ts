import type { FacilityId, OperatorId } from '@kakehashi/protocol/ids'
import { ENROLMENT_CODE_HOURS_MAX } from '@kakehashi/protocol/limits'
import { fromBase64, keyIdOf, sha256Hex } from '@kakehashi/protocol/signing'
import type { Track } from '@kakehashi/protocol/rules/state'
import { postDeclaration } from './declaration.ts'
import type { OpsStore, OpsTx } from './ops.ts'
import { post } from './outbox.ts'
import type { VaultParts } from './parts.ts'
import type { Peer } from './peer.ts'

const ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 16

/** Same arithmetic as the gateway's; the two processes share no code. */
function codeHash(code: string): string {
  return sha256Hex('kakehashi/enrolment-code\0', code.replaceAll('-', ''))
}

/** A code for one hospital, shown once: `XXXX-XXXX-XXXX-XXXX`, 78 bits. Only its hash is kept. */
export async function offerEnrolment(
  ops: OpsStore,
  about: { facility: FacilityId; by: string; hours: number },
): Promise<{ code: string; expiresAt: number }> {
  const { env } = ops
  const letters: string[] = []
  while (letters.length < CODE_LENGTH)
    for (const byte of env.random(32))
      if (byte < 240 && letters.length < CODE_LENGTH) letters.push(ALPHABET[byte % 30] ?? '2')
  const code = letters.join('').replaceAll(/(.{4})(?=.)/g, '$1-')
  const now = env.now()
  const expiresAt = now + Math.min(about.hours, ENROLMENT_CODE_HOURS_MAX) * 3_600_000
  await ops.transact(
    { act: 'enrolment.offered', actor: about.by, detail: { facility: about.facility } },
    async (tx) => {
      await tx
        .insertInto('enrolment_code')
        .values({
          code_hash: codeHash(code),
          facility: about.facility,
          expires_at: expiresAt,
          made_at: now,
          made_by: about.by,
          told_gateway_at: null,
          agent: null,
        })
        .execute()
    },
  )
  return { code, expiresAt }
}

interface Enrolled {
  agent: string
  facility: string
  signingKey: string
  inboxKey: string
  enrolledAt: number
  codeHash: string
}

/** Tells the gateway of new codes and learns who enrolled with them. A key without a code of ours is not believed. */
export async function syncEnrolments(parts: VaultParts, peer: Peer): Promise<number> {
  const { ops, env } = parts
  const open = await ops.db
    .selectFrom('enrolment_code')
    .selectAll()
    .where('agent', 'is', null)
    .where('expires_at', '>', env.now() - 24 * 3_600_000)
    .execute()
  if (open.length === 0) return 0
  for (const { code_hash, facility, expires_at, told_gateway_at } of open) {
    if (told_gateway_at !== null) continue
    await peer.post('/v1/vault/enrolments', { codeHash: code_hash, facility, expiresAt: expires_at })
    await ops.bookkeep((tx) =>
      tx
        .updateTable('enrolment_code')
        .set({ told_gateway_at: env.now() })
        .where('code_hash', '=', code_hash)
        .execute(),
    )
  }
  let learnt = 0
  for (const one of await peer.getJson<Enrolled[]>('/v1/vault/enrolments'))
    if (open.some((code) => code.code_hash === one.codeHash && code.facility === one.facility))
      learnt += (await learn(parts, one)) ? 1 : 0
  return learnt
}

async function learn(parts: VaultParts, one: Enrolled): Promise<boolean> {
  const signing = keyIdOf(fromBase64(one.signingKey))
  return parts.ops.transact(
    (fresh: boolean) =>
      fresh
        ? { act: 'agent.enrolled', actor: one.agent, detail: { facility: one.facility, key: signing } }
        : null,
    async (tx) => {
      const code = await tx
        .selectFrom('enrolment_code')
        .select(['agent', 'expires_at'])
        .where('code_hash', '=', one.codeHash)
        .executeTakeFirst()
      if (!code || code.agent !== null || one.enrolledAt > code.expires_at) return false
      const now = parts.env.now()
      const row = {
        agent: one.agent,
        facility: one.facility,
        inbox_key: one.inboxKey,
        inbox_key_id: keyIdOf(fromBase64(one.inboxKey)),
        enrolled_at: now,
        retired_at: null,
        last_heard_at: null,
        pending_batches: null,
        checkpoint: null,
        software: null,
        records_owed: null,
      }
      await tx.insertInto('agent').values(row).execute()
      await tx
        .insertInto('agent_key')
        .values({
          key_id: signing,
          agent: one.agent,
          facility: one.facility,
          public_key: one.signingKey,
          enrolled_at: now,
          retired_at: null,
        })
        .execute()
      await tx
        .updateTable('enrolment_code')
        .set({ agent: one.agent })
        .where('code_hash', '=', one.codeHash)
        .execute()
      await postStatus(tx, parts, row)
      await postDeclaration(tx, parts, row)
      return true
    },
  )
}

/** The operator's own standing, signed and dated, to one agent. */
export async function postStatus(
  tx: OpsTx,
  parts: VaultParts,
  agent: Parameters<typeof post>[2],
): Promise<void> {
  const { operator, standing, tracks } = await ownStatus(tx, parts)
  await post(tx, parts, agent, {
    type: 'operator-status',
    operator,
    name: parts.operator.name,
    address: parts.operator.address,
    tracks,
    standing,
    asOf: parts.env.now(),
  })
}

export async function ownStatus(
  tx: OpsTx,
  parts: VaultParts,
): Promise<{ operator: OperatorId; standing: 'certified' | 'revoked' | 'ended'; tracks: Track[] }> {
  const { operator } = parts.operator
  const row = await tx
    .selectFrom('operator_status')
    .selectAll()
    .where('operator', '=', operator)
    .executeTakeFirst()
  if (!row) return { operator, standing: 'ended', tracks: [] }
  const standing = row.standing === 'certified' || row.standing === 'revoked' ? row.standing : 'ended'
  return { operator, standing, tracks: JSON.parse(row.tracks) }
}

/** Takes an agent out: its key stays known as retired, the gateway is told in the same round. */
export async function retireAgent(ops: OpsStore, agent: string, by: string): Promise<void> {
  const now = ops.env.now()
  await ops.transact({ act: 'agent.retired', actor: by, detail: { agent } }, async (tx) => {
    await tx.updateTable('agent').set({ retired_at: now }).where('agent', '=', agent).execute()
    await tx
      .updateTable('agent_key')
      .set({ retired_at: now })
      .where('agent', '=', agent)
      .where('retired_at', 'is', null)
      .execute()
    // nobody fetches these any more; an agent enrolled in its place asks for all stops
    await tx
      .updateTable('outbox')
      .set({ acked_at: now, envelope: '' })
      .where('agent', '=', agent)
      .where('acked_at', 'is', null)
      .execute()
  })
}

/** Tells the gateway to turn retired agents away. */
export async function retireAtGateway(parts: VaultParts, peer: Peer): Promise<void> {
  const name = 'retired-told'
  const row = await parts.ops.db
    .selectFrom('cursor')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst()
  const since = Number(row?.value ?? 0)
  const retired = await parts.ops.db
    .selectFrom('agent')
    .select(['agent', 'retired_at'])
    .where('retired_at', '>', since)
    .orderBy('retired_at')
    .execute()
  for (const { agent, retired_at } of retired) {
    await peer.post(`/v1/vault/agents/${encodeURIComponent(agent)}/revoke`)
    const value = Number(retired_at)
    await parts.ops.bookkeep((tx) =>
      tx
        .insertInto('cursor')
        .values({ name, value })
        .onConflict((c) => c.column('name').doUpdateSet({ value }))
        .execute(),
    )
  }
}
