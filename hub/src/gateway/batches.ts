import { canonicalBytes } from '@kakehashi/protocol/canonical'
import { peekHeader, verifyBatch } from '@kakehashi/protocol/envelope'
import { batchId } from '@kakehashi/protocol/ids'
import { BATCH_SEALED_BYTES_MAX, HEADER_BYTES_MAX, UPLOAD_PART_BYTES_MAX } from '@kakehashi/protocol/limits'
import type { GatewayAck } from '@kakehashi/protocol/messages'
import { Refused } from '@kakehashi/protocol/refusals'
import { keyIdOf, sha256Hex, signBytes, toBase64 } from '@kakehashi/protocol/signing'
import { bytesAnswer, json, type Answer } from '../call.ts'
import { wholeNumber } from './body.ts'
import { orDiskFull } from './disk.ts'
import {
  LIST_MAX,
  PARTIAL_BATCHES_PER_AGENT_MAX,
  STORED_BATCHES_PER_AGENT_MAX,
  STORED_BYTES_MAX_DEFAULT,
} from './limits.ts'
import type { Asked, Enrolled, GatewayParts } from './parts.ts'
import type { GatewayTables, GatewayTx } from './store.ts'

type BatchRow = GatewayTables['gateway_batch']

export class Batches {
  readonly #parts: GatewayParts
  constructor(parts: GatewayParts) {
    this.#parts = parts
  }

  async state(asked: Asked): Promise<Answer> {
    const row = await this.#row(asked.params[0] ?? '')
    if (!row || row.agent !== asked.by || row.state === 'abandoned')
      return json({ state: 'absent', received: 0, digest: null })
    const state = row.state === 'partial' ? 'partial' : 'stored'
    return json({ state, received: row.received, digest: row.digest })
  }

  /** One part of a batch. The acknowledgement of the last part is given only after everything is on disk. */
  async put(asked: Asked): Promise<Answer> {
    const { agent } = asked
    if (!agent) throw new Refused('NOT_ALLOWED')
    const part = readPart(asked)
    const before = await this.#row(part.batch)
    if (
      before &&
      (before.agent !== agent.agent ||
        before.state === 'abandoned' ||
        before.digest !== part.digest ||
        before.size !== part.size)
    )
      throw new Refused('BATCH_REPLAYED')
    if (before && before.state !== 'partial') return this.#ack(before)
    const received = before?.received ?? 0
    if (part.offset !== received) return json({ received })
    if (part.offset === 0) this.#checkHeader(part, agent)
    const end = part.offset + part.bytes.length
    if (end < part.size) {
      await orDiskFull(() => this.#parts.store.bookkeep((tx) => this.#append(tx, part, agent)))
      return json({ received: end })
    }
    return this.#ack(await this.#finish(part, agent))
  }

  /**
   * The agent takes back an upload it may not finish: what arrived goes, and a part still on its way is refused. A batch
   * that is whole already stays: whether it may be opened is the vault's to decide.
   */
  async abandon(asked: Asked): Promise<Answer> {
    const { agent } = asked
    if (!agent) throw new Refused('NOT_ALLOWED')
    const batch = batchId(asked.params[0] ?? '')
    const state = await orDiskFull(() =>
      this.#parts.store.transact(
        (left: 'absent' | 'stored') =>
          left === 'stored' ? null : { act: 'batch.abandoned', actor: agent.agent, detail: { batch } },
        (tx) => this.#abandonInside(tx, batch, agent),
      ),
    )
    return json({ state })
  }

  async #abandonInside(tx: GatewayTx, batch: string, agent: Enrolled): Promise<'absent' | 'stored'> {
    const row = await tx.selectFrom('gateway_batch').selectAll().where('batch', '=', batch).executeTakeFirst()
    if (row && row.agent !== agent.agent) throw new Refused('NOT_ALLOWED')
    if (row?.state === 'stored' || row?.state === 'done') return 'stored'
    await tx.deleteFrom('gateway_part').where('batch', '=', batch).execute()
    await tx.deleteFrom('gateway_batch').where('batch', '=', batch).execute()
    await tx
      .insertInto('gateway_batch')
      .values({
        batch,
        seq: null,
        agent: agent.agent,
        size: 0,
        digest: '',
        received: 0,
        state: 'abandoned',
        stored_at: null,
        changed_at: this.#parts.env.now(),
      })
      .execute()
    return 'absent'
  }

  #checkHeader(part: Part, agent: Enrolled): void {
    if (part.bytes.length < Math.min(part.size, HEADER_BYTES_MAX + 16)) return
    belongs(peekHeader(part.bytes), part, agent)
  }

  async #append(tx: GatewayTx, part: Part, agent: Enrolled): Promise<void> {
    const now = this.#parts.env.now()
    const end = part.offset + part.bytes.length
    if (part.offset === 0) {
      await this.#checkRoom(tx, part, agent)
      await tx
        .insertInto('gateway_batch')
        .values({
          batch: part.batch,
          seq: null,
          agent: agent.agent,
          size: part.size,
          digest: part.digest,
          received: end,
          state: 'partial',
          stored_at: null,
          changed_at: now,
        })
        .execute()
    } else {
      const moved = await tx
        .updateTable('gateway_batch')
        .set({ received: end, changed_at: now })
        .where('batch', '=', part.batch)
        .where('state', '=', 'partial')
        .where('received', '=', part.offset)
        .executeTakeFirst()
      if (Number(moved.numUpdatedRows) !== 1) throw new Refused('REQUEST_MALFORMED', 'offset')
    }
    await tx
      .insertInto('gateway_part')
      .values({ batch: part.batch, start: part.offset, bytes: part.bytes })
      .execute()
  }

  async #checkRoom(tx: GatewayTx, part: Part, agent: Enrolled): Promise<void> {
    const mine = await tx
      .selectFrom('gateway_batch')
      .select(['state', (e) => e.fn.countAll().as('n')])
      .where('agent', '=', agent.agent)
      .where('state', '!=', 'done')
      .groupBy('state')
      .execute()
    const n = (state: string): number => Number(mine.find((row) => row.state === state)?.n ?? 0)
    if (n('partial') >= PARTIAL_BATCHES_PER_AGENT_MAX || n('stored') >= STORED_BATCHES_PER_AGENT_MAX)
      throw new Refused('DISK_FULL', 'waiting batches')
    const held = await tx
      .selectFrom('gateway_batch')
      .select((e) => e.fn.sum('size').as('bytes'))
      .where('state', '!=', 'done')
      .executeTakeFirst()
    const max = this.#parts.storedBytesMax ?? STORED_BYTES_MAX_DEFAULT
    if (Number(held?.bytes ?? 0) + part.size > max) throw new Refused('DISK_FULL', 'quota')
  }

  async #finish(part: Part, agent: Enrolled): Promise<BatchRow> {
    try {
      return await orDiskFull(() =>
        this.#parts.store.transact(
          { act: 'batch.stored', actor: agent.agent, detail: { batch: part.batch, size: part.size } },
          async (tx) => {
            await this.#append(tx, part, agent)
            const bytes = await wholeBatch(tx, part.batch)
            if (sha256Hex(bytes) !== part.digest) throw new Refused('DIGEST_MISMATCH')
            belongs(verifyBatch(bytes, agent.signing), part, agent)
            return this.#store(tx, part.batch)
          },
        ),
      )
    } catch (error) {
      if (error instanceof Refused && error.refusal.code !== 'DISK_FULL') await this.#forget(part.batch)
      throw error
    }
  }

  async #store(tx: GatewayTx, batch: string): Promise<BatchRow> {
    const last = await tx
      .selectFrom('gateway_batch')
      .select((e) => e.fn.max('seq').as('seq'))
      .executeTakeFirst()
    const now = this.#parts.env.now()
    await tx
      .updateTable('gateway_batch')
      .set({ state: 'stored', seq: Number(last?.seq ?? 0) + 1, stored_at: now, changed_at: now })
      .where('batch', '=', batch)
      .execute()
    return tx.selectFrom('gateway_batch').selectAll().where('batch', '=', batch).executeTakeFirstOrThrow()
  }

  async #forget(batch: string): Promise<void> {
    await this.#parts.store.bookkeep(async (tx) => {
      await tx.deleteFrom('gateway_part').where('batch', '=', batch).execute()
      await tx.deleteFrom('gateway_batch').where('batch', '=', batch).where('state', '=', 'partial').execute()
    })
  }

  #ack(row: BatchRow): Answer {
    const ack: GatewayAck = { batch: batchId(row.batch), digest: row.digest, storedAt: row.stored_at ?? 0 }
    const signature = signBytes('gateway-ack', canonicalBytes(ack), this.#parts.key)
    return json(ack, 200, { 'kakehashi-ack-signature': toBase64(signature) })
  }

  async #row(batch: string): Promise<BatchRow | undefined> {
    return this.#parts.store.db
      .selectFrom('gateway_batch')
      .selectAll()
      .where('batch', '=', batch)
      .executeTakeFirst()
  }

  async list(asked: Asked): Promise<Answer> {
    const rows = await this.#parts.store.db
      .selectFrom('gateway_batch')
      .select(['seq', 'batch', 'agent', 'size', 'digest'])
      .where('state', '=', 'stored')
      .where('seq', '>', wholeNumber(asked.url, 'after', 0))
      .orderBy('seq')
      .limit(Math.min(LIST_MAX, wholeNumber(asked.url, 'limit', LIST_MAX)))
      .execute()
    return json(rows)
  }

  async bytes(asked: Asked): Promise<Answer> {
    const row = await this.#row(asked.params[0] ?? '')
    if (row?.state !== 'stored') throw new Refused('NOT_FOUND')
    return bytesAnswer(await wholeBatch(this.#parts.store.db, row.batch))
  }

  /** The vault has it, or refused it: the sealed bytes go, the id and digest stay to answer a repeated upload. */
  async done(asked: Asked): Promise<Answer> {
    const batch = batchId(asked.params[0] ?? '')
    await this.#parts.store.transact(
      (changed: boolean) => (changed ? { act: 'batch.done', actor: 'vault', detail: { batch } } : null),
      async (tx) => {
        await tx.deleteFrom('gateway_part').where('batch', '=', batch).execute()
        const changed = await tx
          .updateTable('gateway_batch')
          .set({ state: 'done', changed_at: this.#parts.env.now() })
          .where('batch', '=', batch)
          .where('state', '=', 'stored')
          .executeTakeFirst()
        return Number(changed.numUpdatedRows) > 0
      },
    )
    return json({ done: true })
  }
}

interface Part {
  batch: string
  offset: number
  size: number
  digest: string
  bytes: Uint8Array
}

function readPart(asked: Asked): Part {
  const size = wholeNumber(asked.url, 'size')
  const offset = wholeNumber(asked.url, 'offset')
  const digest = asked.url.searchParams.get('digest') ?? ''
  const bytes = asked.call.body
  if (size > BATCH_SEALED_BYTES_MAX || bytes.length > UPLOAD_PART_BYTES_MAX)
    throw new Refused('ENVELOPE_TOO_LARGE')
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new Refused('REQUEST_MALFORMED', 'digest')
  if (bytes.length === 0 || offset + bytes.length > size) throw new Refused('REQUEST_MALFORMED', 'size')
  return { batch: batchId(asked.params[0] ?? ''), offset, size, digest, bytes }
}

function belongs(header: ReturnType<typeof peekHeader>, part: Part, agent: Enrolled): void {
  if (header.batch !== part.batch || header.agent !== agent.agent) throw new Refused('SIGNATURE_INVALID')
  if (header.facility !== agent.facility) throw new Refused('FACILITY_UNKNOWN')
  if (header.signedBy !== keyIdOf(agent.signing)) throw new Refused('KEY_UNKNOWN')
}

async function wholeBatch(db: GatewayTx | GatewayParts['store']['db'], batch: string): Promise<Uint8Array> {
  const parts = await db
    .selectFrom('gateway_part')
    .select('bytes')
    .where('batch', '=', batch)
    .orderBy('start')
    .execute()
  return new Uint8Array(Buffer.concat(parts.map((part) => part.bytes)))
}
