import { messageId, type BatchId, type MessageId } from '@kakehashi/protocol/ids'
import { CONTROL_PAGE_MAX } from '@kakehashi/protocol/limits'
import type { ControlEnvelope, GatewayAck } from '@kakehashi/protocol/messages'
import { isRefusalCode, Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import { signRequest } from '@kakehashi/protocol/requests'
import type { AgentContext } from '../context.ts'
import {
  abandoned,
  beginFlight,
  handOver,
  markAtGateway,
  refuseFlight,
  settle,
  takePart,
  unsettled,
} from '../outbox/hand-over.ts'
import { applyControl } from './inbox.ts'
import type { Job, JobResult } from './session.ts'
import { markAcked, markControlSent, nextControlOut, unacked } from './store.ts'
import type { Wire } from './wire-shape.ts'

const EMPTY = new Uint8Array()
const utf8 = new TextEncoder()

/** The same bytes will be refused for ever: another batch must be made. */
const HOPELESS = new Set<RefusalCode>([
  'BATCH_REPLAYED',
  'DIGEST_MISMATCH',
  'ENVELOPE_MALFORMED',
  'ENVELOPE_TOO_LARGE',
  'COUNTS_MISMATCH',
])

interface Answer {
  status: number
  json: unknown
}

function readJson(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new GatewayAnswerBad('not JSON')
  }
}

/** Something between us and the gateway answered in its place. */
export class GatewayAnswerBad extends Error {
  override name = 'GatewayAnswerBad'
}

/** Carries out the session's jobs: store on one side, signed requests on the other. */
export class Courier {
  readonly #context: AgentContext
  readonly #wire: Wire
  /** Where this conversation stands. Kept in memory only: a gateway put back from a backup counts anew. */
  #cursor = 0
  constructor(context: AgentContext, wire: Wire) {
    this.#context = context
    this.#wire = wire
  }

  headers(method: string, path: string, body: Uint8Array = EMPTY): Record<string, string> {
    const { keys, env } = this.#context
    return signRequest({ method, path, body }, keys.agent, keys.signing, env)
  }

  async #call(method: string, path: string, body: Uint8Array = EMPTY): Promise<Answer> {
    const headers = this.headers(method, path, body)
    const answer = await this.#wire.request({ method, path, headers, body })
    const text = new TextDecoder().decode(answer.body)
    const json = readJson(text)
    if (answer.status >= 400) {
      const code = (json as { code?: unknown } | null)?.code
      throw new Refused(
        typeof code === 'string' && isRefusalCode(code) ? code : 'SOURCE_ANSWER_BAD',
        path.split('?')[0],
      )
    }
    return { status: answer.status, json }
  }

  /** After a broken line everything unacknowledged is asked for again. */
  forgetPlace(): void {
    this.#cursor = 0
  }

  /** Asks for something that is surely not there: does a signed request get an answer? Moves nothing. */
  async knock(): Promise<void> {
    await this.#call('GET', `/v1/control?after=${Number.MAX_SAFE_INTEGER}`)
  }

  async perform(job: Job): Promise<JobResult> {
    switch (job.do) {
      case 'pull':
        return this.#pull()
      case 'push':
        return this.#push()
      case 'hand-over':
        return this.#handOver()
      case 'ask':
        return this.#ask(job.batch)
      case 'put':
        return this.#put(job.batch, job.offset)
    }
  }

  async #pull(): Promise<JobResult> {
    const { json } = await this.#call('GET', `/v1/control?after=${this.#cursor}`)
    const page = json as { messages: ControlEnvelope[]; next: number }
    for (const envelope of page.messages) await applyControl(this.#context, envelope)
    const more = page.messages.length >= CONTROL_PAGE_MAX
    // the end of the box: next time from its beginning, whatever the gateway's numbers have become meanwhile
    this.#cursor = more ? page.next : 0
    return { did: 'pull', more }
  }

  /**
   * Reports first, acknowledgements when none is left: the vault lets batches of ours wait for the acknowledgement of a
   * stop it could give to no chart, and must by then hold the report that names the charts.
   */
  async #push(): Promise<JobResult> {
    const { store, env } = this.#context
    const applied = await unacked(store.db)
    const envelope = await nextControlOut(store.db, env.now())
    if (!envelope) return this.#acknowledge(applied)
    await this.#call('POST', '/v1/control', utf8.encode(JSON.stringify(envelope)))
    await store.bookkeep((tx) => markControlSent(tx, messageId(envelope.message), env.now()))
    return { did: 'push', more: true }
  }

  async #acknowledge(applied: readonly MessageId[]): Promise<JobResult> {
    if (applied.length === 0) return { did: 'push', more: false }
    await this.#call('POST', '/v1/control/acks', utf8.encode(JSON.stringify({ messages: applied })))
    await this.#context.store.bookkeep((tx) => markAcked(tx, applied))
    return { did: 'push', more: true }
  }

  async #handOver(): Promise<JobResult> {
    const open = await unsettled(this.#context)
    if (open) return { did: 'hand-over', batch: open.batch, ask: true }
    const batch = await handOver(this.#context)
    if (!batch) return { did: 'hand-over', batch: null, ask: false }
    if (await beginFlight(this.#context, batch.batch))
      return { did: 'hand-over', batch: batch.batch, ask: false }
    return this.#handOver()
  }

  async #ask(batch: BatchId): Promise<JobResult> {
    const { json } = await this.#call('GET', `/v1/batches/${batch}`)
    const held = json as { state: 'absent' | 'partial' | 'stored'; received: number; digest: string | null }
    const settled = await settle(this.#context, batch, held)
    if (settled.t === 'abandon') await this.#abandon(batch)
    return { did: 'ask', offset: settled.t === 'upload' ? settled.offset : null }
  }

  /** The gateway first, then we: a batch we no longer know of must not lie half at the gateway. */
  async #abandon(batch: BatchId): Promise<void> {
    const { json } = await this.#call('DELETE', `/v1/batches/${batch}`)
    await abandoned(this.#context, batch, (json as { state: 'absent' | 'stored' }).state)
  }

  async #put(batch: BatchId, offset: number): Promise<JobResult> {
    const part = await takePart(this.#context, batch, offset)
    if (!part) return { did: 'put', next: 'halted' }
    const path = `/v1/batches/${batch}?offset=${offset}&size=${part.size}&digest=${part.digest}`
    const { json } = await this.#call('PUT', path, part.bytes).catch(async (error: unknown) => {
      if (error instanceof Refused && HOPELESS.has(error.refusal.code))
        await refuseFlight(this.#context, batch, error.refusal.code)
      throw error
    })
    if ((json as { storedAt?: number }).storedAt !== undefined) {
      await markAtGateway(this.#context, json as GatewayAck)
      return { did: 'put', next: 'stored' }
    }
    return { did: 'put', next: (json as { received: number }).received }
  }
}
