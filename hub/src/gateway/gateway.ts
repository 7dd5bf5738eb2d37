import { MalformedId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { json, refusalAnswer, type Answer, type Call } from '../call.ts'
import { Batches } from './batches.ts'
import { whoCalls } from './caller.ts'
import { isDiskFull } from './disk.ts'
import { Enrolments } from './enrolment.ts'
import { ABANDONED_AGE_MS_MAX, DONE_AGE_MS_MAX, PARTIAL_AGE_MS_MAX } from './limits.ts'
import { Mailboxes } from './mailbox.ts'
import type { Asked, GatewayParts, Hint } from './parts.ts'
import { frameHandler, type Frame } from './session.ts'

export interface Gateway {
  /** Answers one call; never throws. */
  handle(call: Call): Promise<Answer>
  /** The agent behind a request to open a session, or the refusal. */
  greet(call: Call): Promise<{ agent: string } | Answer>
  /** One frame from an agent's session; the frames to send back. */
  frame(agent: string, frame: Frame): Promise<Frame[]>
  /** Calls `hint` whenever something waits for an agent; the returned function ends it. */
  listen(hint: Hint): () => void
  /** Forgets uploads nobody finished and the ids of long finished ones. */
  tidy(): Promise<void>
}

type Who = 'agent' | 'vault' | 'either'
type Route = [method: string, path: RegExp, who: Who, handler: (asked: Asked) => Promise<Answer>]

export function createGateway(parts: GatewayParts): Gateway {
  const hints = new Set<Hint>()
  const enrolments = new Enrolments(parts)
  const batches = new Batches(parts)
  const mailboxes = new Mailboxes(parts, (agent) => hints.forEach((hint) => hint(agent)))
  const routes = routesOf(enrolments, batches, mailboxes)

  async function handle(call: Call): Promise<Answer> {
    try {
      const url = new URL(call.path, 'http://gateway.invalid')
      if (call.method === 'POST' && url.pathname === '/v1/enrol') return await enrolments.enrol(call)
      if (call.method === 'GET' && url.pathname === '/v1/health') return json({ up: true })
      for (const [method, path, who, handler] of routes) {
        const match = method === call.method ? path.exec(url.pathname) : null
        if (!match) continue
        const { by, agent } = await whoCalls(parts, call)
        if (who !== 'either' && (who === 'vault') !== (by === 'vault')) throw new Refused('NOT_ALLOWED')
        return await handler({ call, url, by, agent, params: match.slice(1) })
      }
      throw new Refused('NOT_FOUND')
    } catch (error) {
      return answerTo(error, parts)
    }
  }

  return {
    handle,
    async greet(call) {
      try {
        const { by, agent } = await whoCalls(parts, call)
        if (!agent) throw new Refused('NOT_ALLOWED')
        return { agent: by }
      } catch (error) {
        return answerTo(error, parts)
      }
    },
    frame: frameHandler(mailboxes),
    listen(hint) {
      hints.add(hint)
      return () => hints.delete(hint)
    },
    tidy: () => tidy(parts),
  }
}

function routesOf(enrolments: Enrolments, batches: Batches, mailboxes: Mailboxes): Route[] {
  return [
    ['GET', /^\/v1\/batches\/([^/]+)$/, 'agent', (a) => batches.state(a)],
    ['PUT', /^\/v1\/batches\/([^/]+)$/, 'agent', (a) => batches.put(a)],
    ['DELETE', /^\/v1\/batches\/([^/]+)$/, 'agent', (a) => batches.abandon(a)],
    ['GET', /^\/v1\/control$/, 'agent', (a) => mailboxes.down(a)],
    ['POST', /^\/v1\/control$/, 'agent', (a) => mailboxes.postUp(a)],
    ['POST', /^\/v1\/control\/acks$/, 'agent', (a) => mailboxes.postAcks(a)],
    ['GET', /^\/v1\/vault\/batches$/, 'vault', (a) => batches.list(a)],
    ['GET', /^\/v1\/vault\/batches\/([^/]+)$/, 'vault', (a) => batches.bytes(a)],
    ['POST', /^\/v1\/vault\/batches\/([^/]+)\/done$/, 'vault', (a) => batches.done(a)],
    ['GET', /^\/v1\/vault\/control$/, 'vault', (a) => mailboxes.up(a)],
    ['POST', /^\/v1\/vault\/control\/acks$/, 'vault', (a) => mailboxes.upTaken(a)],
    ['POST', /^\/v1\/vault\/control$/, 'vault', (a) => mailboxes.postDown(a)],
    ['GET', /^\/v1\/vault\/acks$/, 'vault', () => mailboxes.acks()],
    ['POST', /^\/v1\/vault\/acks\/taken$/, 'vault', (a) => mailboxes.acksTaken(a)],
    ['POST', /^\/v1\/vault\/enrolments$/, 'vault', (a) => enrolments.offer(a)],
    ['GET', /^\/v1\/vault\/enrolments$/, 'vault', () => enrolments.list()],
    ['POST', /^\/v1\/vault\/agents\/([^/]+)\/revoke$/, 'vault', (a) => enrolments.revoke(a)],
  ]
}

function answerTo(error: unknown, parts: GatewayParts): Answer {
  if (error instanceof Refused) {
    parts.log('gateway.refused', { code: error.refusal.code })
    return refusalAnswer(error.refusal)
  }
  if (error instanceof MalformedId) return refusalAnswer({ code: 'REQUEST_MALFORMED' })
  if (isDiskFull(error)) {
    parts.log('gateway.disk-full')
    return refusalAnswer({ code: 'DISK_FULL' })
  }
  parts.log('gateway.failed')
  return json({ code: 'REQUEST_MALFORMED', place: 'gateway' }, 500)
}

async function tidy(parts: GatewayParts): Promise<void> {
  const now = parts.env.now()
  await parts.store.bookkeep(async (tx) => {
    const stale = tx
      .selectFrom('gateway_batch')
      .select('batch')
      .where('state', '=', 'partial')
      .where('changed_at', '<', now - PARTIAL_AGE_MS_MAX)
    await tx.deleteFrom('gateway_part').where('batch', 'in', stale).execute()
    await tx
      .deleteFrom('gateway_batch')
      .where('state', '=', 'partial')
      .where('changed_at', '<', now - PARTIAL_AGE_MS_MAX)
      .execute()
    await tx
      .deleteFrom('gateway_batch')
      .where('state', '=', 'abandoned')
      .where('changed_at', '<', now - ABANDONED_AGE_MS_MAX)
      .execute()
    const old = now - DONE_AGE_MS_MAX
    await tx.deleteFrom('gateway_batch').where('state', '=', 'done').where('changed_at', '<', old).execute()
    await tx
      .deleteFrom('gateway_control')
      .where('direction', '=', 'up')
      .where('acked_at', '<', now - DONE_AGE_MS_MAX)
      .execute()
  })
}
