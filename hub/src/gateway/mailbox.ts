import { messageId } from '@kakehashi/protocol/ids'
import { CONTROL_BYTES_MAX, CONTROL_PAGE_MAX } from '@kakehashi/protocol/limits'
import { CONTROL_VERSION, type ControlEnvelope } from '@kakehashi/protocol/messages'
import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'
import { json, type Answer } from '../call.ts'
import { parseBody, wholeNumber } from './body.ts'
import { orDiskFull } from './disk.ts'
import { CONTROL_WAITING_MAX, LIST_MAX } from './limits.ts'
import type { Asked, GatewayParts, Hint } from './parts.ts'
import type { GatewayTx } from './store.ts'

const id = z.string().max(128)
const Envelope = z.strictObject({
  version: z.literal(CONTROL_VERSION),
  message: id,
  agent: id,
  direction: z.enum(['up', 'down']),
  sealedTo: z.string().regex(/^[0-9a-f]{16}$/),
  box: z.string().max(CONTROL_BYTES_MAX * 2),
})
const Messages = z.strictObject({ messages: z.array(id).max(1000) })

/** Two mailboxes per agent, of sealed messages: up to the vault, down to the agent. */
export class Mailboxes {
  readonly #parts: GatewayParts
  readonly #hint: Hint
  constructor(parts: GatewayParts, hint: Hint) {
    this.#parts = parts
    this.#hint = hint
  }

  async down(asked: Asked): Promise<Answer> {
    const after = wholeNumber(asked.url, 'after', 0)
    return json(await this.waiting(asked.by, after))
  }

  /** Down messages of one agent not yet acknowledged. */
  async waiting(agent: string, after: number): Promise<{ messages: ControlEnvelope[]; next: number }> {
    const rows = await this.#parts.store.db
      .selectFrom('gateway_control')
      .select(['seq', 'envelope'])
      .where('direction', '=', 'down')
      .where('agent', '=', agent)
      .where('acked_at', 'is', null)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(CONTROL_PAGE_MAX)
      .execute()
    return { messages: rows.map((row) => JSON.parse(row.envelope)), next: rows.at(-1)?.seq ?? after }
  }

  async postUp(asked: Asked): Promise<Answer> {
    await this.receiveUp(asked.by, asked.call.body)
    return json({ stored: true })
  }

  async receiveUp(agent: string, body: Uint8Array): Promise<string> {
    const envelope = parseBody(Envelope, body)
    if (envelope.direction !== 'up' || envelope.agent !== agent) throw new Refused('NOT_ALLOWED')
    await this.#keep(envelope)
    return envelope.message
  }

  async postDown(asked: Asked): Promise<Answer> {
    const envelope = parseBody(Envelope, asked.call.body)
    if (envelope.direction !== 'down') throw new Refused('NOT_ALLOWED')
    await this.#keep(envelope)
    this.#hint(envelope.agent)
    return json({ stored: true })
  }

  /** What an agent says again after the vault took it, the vault's answer did not reach: an agent put back lost it. */
  async #keep(envelope: z.infer<typeof Envelope>): Promise<void> {
    messageId(envelope.message)
    await orDiskFull(() =>
      this.#parts.store.bookkeep(async (tx) => {
        const known = await tx
          .selectFrom('gateway_control')
          .select(['seq', 'acked_at'])
          .where('message', '=', envelope.message)
          .executeTakeFirst()
        if (known && known.acked_at !== null && envelope.direction === 'up')
          await tx
            .updateTable('gateway_control')
            .set({ acked_at: null, envelope: JSON.stringify(envelope) })
            .where('seq', '=', known.seq)
            .execute()
        if (known) return
        await this.#checkRoom(tx, envelope)
        const { value } = await tx
          .updateTable('gateway_count')
          .set((e) => ({ value: e('value', '+', 1) }))
          .where('name', '=', 'control')
          .returning('value')
          .executeTakeFirstOrThrow()
        await tx
          .insertInto('gateway_control')
          .values({
            seq: value,
            message: envelope.message,
            agent: envelope.agent,
            direction: envelope.direction,
            envelope: JSON.stringify(envelope),
            stored_at: this.#parts.env.now(),
            acked_at: null,
          })
          .execute()
      }),
    )
  }

  async #checkRoom(tx: GatewayTx, envelope: { agent: string; direction: 'up' | 'down' }): Promise<void> {
    const { n } = await tx
      .selectFrom('gateway_control')
      .select((e) => e.fn.countAll().as('n'))
      .where('direction', '=', envelope.direction)
      .where('agent', '=', envelope.agent)
      .where('acked_at', 'is', null)
      .executeTakeFirstOrThrow()
    if (Number(n) >= CONTROL_WAITING_MAX) throw new Refused('DISK_FULL', 'mailbox')
  }

  /** The agent applied these: they leave its mailbox; the vault is told through {@link acks}. */
  async postAcks(asked: Asked): Promise<Answer> {
    const { messages } = parseBody(Messages, asked.call.body)
    await this.ack(asked.by, messages)
    return json({ stored: true })
  }

  async ack(agent: string, messages: string[]): Promise<void> {
    if (messages.length === 0) return
    await orDiskFull(() =>
      this.#parts.store.bookkeep(async (tx) => {
        await tx
          .updateTable('gateway_control')
          .set({ acked_at: this.#parts.env.now(), envelope: '' })
          .where('direction', '=', 'down')
          .where('agent', '=', agent)
          .where('message', 'in', messages)
          .where('acked_at', 'is', null)
          .execute()
      }),
    )
  }

  async up(asked: Asked): Promise<Answer> {
    const rows = await this.#parts.store.db
      .selectFrom('gateway_control')
      .select(['seq', 'envelope'])
      .where('direction', '=', 'up')
      .where('acked_at', 'is', null)
      .where('seq', '>', wholeNumber(asked.url, 'after', 0))
      .orderBy('seq')
      .limit(CONTROL_PAGE_MAX)
      .execute()
    return json({ messages: rows.map((row) => JSON.parse(row.envelope)), next: rows.at(-1)?.seq ?? 0 })
  }

  /** The vault applied these: the sealed text goes, the id stays so that a late duplicate keeps its place. */
  async upTaken(asked: Asked): Promise<Answer> {
    const { messages } = parseBody(Messages, asked.call.body)
    await this.#parts.store.bookkeep(async (tx) => {
      if (messages.length === 0) return
      await tx
        .updateTable('gateway_control')
        .set({ acked_at: this.#parts.env.now(), envelope: '' })
        .where('direction', '=', 'up')
        .where('message', 'in', messages)
        .execute()
    })
    return json({ stored: true })
  }

  async acks(): Promise<Answer> {
    const rows = await this.#parts.store.db
      .selectFrom('gateway_control')
      .select(['message', 'agent', 'acked_at'])
      .where('direction', '=', 'down')
      .where('acked_at', 'is not', null)
      .orderBy('seq')
      .limit(LIST_MAX)
      .execute()
    return json(rows.map((row) => ({ message: row.message, agent: row.agent, at: row.acked_at })))
  }

  /** The vault noted these acknowledgements: nothing more to keep. */
  async acksTaken(asked: Asked): Promise<Answer> {
    const { messages } = parseBody(Messages, asked.call.body)
    await this.#parts.store.bookkeep(async (tx) => {
      if (messages.length === 0) return
      await tx
        .deleteFrom('gateway_control')
        .where('direction', '=', 'down')
        .where('acked_at', 'is not', null)
        .where('message', 'in', messages)
        .execute()
    })
    return json({ stored: true })
  }
}
