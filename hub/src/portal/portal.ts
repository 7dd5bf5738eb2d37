import type { Env } from '@kakehashi/protocol/env'
import { REQUEST_SKEW_MS_MAX } from '@kakehashi/protocol/limits'
import type { Log } from '@kakehashi/protocol/log'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import { verifyRequest } from '@kakehashi/protocol/requests'
import { handleOf, readStopToken } from '@kakehashi/protocol/stop-handle'
import { z } from 'zod'
import { json, refusalAnswer, type Answer, type Call } from '../call.ts'
import { HourBudget } from './budget.ts'
import { Notice, type HospitalNotice, type NoticeFacts } from './notice.ts'
import { takeList, takeWords, wordsOf } from './notice-words.ts'
import { newReceipt, secondOf, type Second } from './receipt.ts'
import {
  CONTACT_MAX,
  QUESTION_MAX,
  sealPortalRequest,
  type PortalRequest,
  type PortalStop,
} from './sealed-request.ts'
import { findState, keepReceived, takeStates, type RequestState } from './states.ts'
import type { PortalStore } from './store.ts'

export interface PortalParts {
  env: Env
  store: PortalStore
  vault: { box: Uint8Array; signing: Uint8Array }
  log: Log
}

export interface AskedStop {
  token: string
  requester: PortalStop['requester']
  erasureAsked: boolean
}

/** Asked without a paper: who that is, and whether anybody, only the hospital knows. */
export interface AskedByNumber {
  facility: string
  number: string
  birthDate: string
  requester: PortalStop['requester']
  erasureAsked: boolean
  /** Counted against its network's budget, and forgotten. */
  address: string
}

export interface AskedQuestion {
  text: string
  /** Empty: the answer is told by telephone to whoever says the receipt number. */
  contact: string
  language: string
  address: string
}

export interface AskedState {
  receipt: string
  second: Second
  address: string
}

export interface Portal {
  handle(call: Call): Promise<Answer>
  /**
   * Sealed and committed when this returns. The same for a token that is somebody's and one that is nobody's: the
   * portal could not tell. `null` when it is no token at all, or more are waiting than may.
   */
  takeStop(asked: AskedStop): Promise<{ receipt: string } | null>
  /**
   * Beyond the hour's budget it is taken for staff to look at, with the same answer. `null`: more than staff can look
   * at either, or more are waiting than may.
   */
  takeNumberStop(asked: AskedByNumber): Promise<{ receipt: string } | null>
  /** `null`: asked too often in this hour, or more are waiting than may. */
  takeQuestion(asked: AskedQuestion): Promise<{ receipt: string } | null>
  /** The same `unknown` for a number never given and for one asked with another second thing. */
  stateOf(asked: AskedState): Promise<RequestState | 'unknown' | 'too-often'>
  hospitals(): Promise<{ facility: string; name: string }[]>
  /** What a hospital filed. `notice` is `null` while it has filed nothing; the answer, when it takes no part. */
  noticeOf(facility: string, language: NoticeLanguage): Promise<HospitalNotice | null>
}

const WAITING_MAX = 100_000
const LIST_MAX = 100
/** Beyond the budget, for staff: a campaign must not hide what one patient asks, nor bury everybody. */
const QUEUE_PER_HOUR = { about: 5, prefix: 300, all: 3_000 }
/** Who follows their own request looks often; 2^64 guesses are needed to find somebody else's. */
const LOOKS_PER_HOUR = { about: 20, prefix: 60, all: 20_000 }

const StopBody = z.strictObject({
  token: z.string().max(100),
  requester: z.enum(['person', 'guardian', 'family', 'agent']).default('person'),
  erasureAsked: z.boolean().default(false),
})
const HospitalsBody = z.strictObject({
  hospitals: z
    .array(
      z.strictObject({
        facility: z.string().max(64),
        name: z.string().max(200),
        notice: Notice.nullable().default(null),
      }),
    )
    .max(10_000),
})
const AckBody = z.strictObject({ requests: z.array(z.string().max(64)).max(1000) })

export function createPortal(parts: PortalParts): Portal {
  const vaultOnly = vaultGuard(parts)
  const takeStop = (asked: AskedStop): Promise<{ receipt: string } | null> => keepStop(parts, asked)
  const { env } = parts
  const [budget, queue] = [new HourBudget(env), new HourBudget(env, QUEUE_PER_HOUR)]
  const [questions, looks] = [new HourBudget(env), new HourBudget(env, LOOKS_PER_HOUR)]
  return {
    takeStop,
    async takeNumberStop({ address, ...said }) {
      const counted = { about: `${said.facility}\0${said.number}`, address }
      const queued = !budget.take(counted, env.now())
      if (queued && !queue.take(counted, env.now())) return null
      const mark = queued ? { queued } : {}
      return keep(parts, (common) => ({ version: 2, ...said, ...mark, ...common }))
    },
    async takeQuestion({ address, ...said }) {
      const tooLong = [...said.text].length > QUESTION_MAX || [...said.contact].length > CONTACT_MAX
      if (said.text.trim() === '' || tooLong) throw new Refused('REQUEST_MALFORMED', 'text')
      if (!questions.take({ address }, env.now())) return null
      return keep(parts, (common) => ({ version: 3, ...said, ...common }))
    },
    async stateOf({ receipt, second, address }) {
      if (!looks.take({ about: receipt, address }, env.now())) return 'too-often'
      return (await findState(parts.store, receipt, second)) ?? 'unknown'
    },
    hospitals: () =>
      parts.store.db
        .selectFrom('portal_hospital')
        .select(['facility', 'name'])
        .orderBy('name')
        .orderBy('facility')
        .execute(),
    async noticeOf(facility, language) {
      const row = await parts.store.db
        .selectFrom('portal_hospital')
        .selectAll()
        .where('facility', '=', facility)
        .executeTakeFirst()
      if (!row) return null
      const notice = row.notice === null ? null : (JSON.parse(row.notice) as NoticeFacts)
      return { name: row.name, notice, words: await wordsOf(parts.store, facility, language) }
    },
    async handle(call) {
      try {
        const { pathname } = new URL(call.path, 'http://portal.invalid')
        const what = `${call.method} ${pathname}`
        if (what === 'GET /v1/health') return json({ up: true })
        if (what === 'POST /v1/stops') return await postStop(takeStop, call)
        if (what === 'GET /v1/vault/requests') return await vaultOnly(call, () => list(parts))
        if (what === 'POST /v1/vault/hospitals') return await vaultOnly(call, () => named(parts, call))
        if (what === 'POST /v1/vault/notices')
          return await vaultOnly(call, async () => json(await takeList(parts.store, bodyOf(call))))
        if (what === 'POST /v1/vault/notices/words') return await vaultOnly(call, () => worded(parts, call))
        if (what === 'POST /v1/vault/states') return await vaultOnly(call, () => told(parts, call))
        if (what === 'POST /v1/vault/requests/acks') return await vaultOnly(call, () => taken(parts, call))
        return refusalAnswer({ code: 'NOT_FOUND' })
      } catch (error) {
        if (error instanceof Refused) return refusalAnswer(error.refusal)
        parts.log('portal.failed')
        return json({ code: 'REQUEST_MALFORMED' }, 500)
      }
    },
  }
}

async function postStop(takeStop: Portal['takeStop'], call: Call): Promise<Answer> {
  const asked = StopBody.safeParse(bodyOf(call))
  const taken = asked.success ? await takeStop(asked.data) : null
  return taken ? json(taken) : refusalAnswer({ code: 'REQUEST_MALFORMED', place: 'token' })
}

async function keepStop(parts: PortalParts, asked: AskedStop): Promise<{ receipt: string } | null> {
  const token = readStopToken(asked.token)
  if (token === null) return null
  const { requester, erasureAsked } = asked
  return keep(parts, (common) => ({
    version: 1,
    handle: handleOf(token),
    requester,
    erasureAsked,
    ...common,
  }))
}

async function keep(
  parts: PortalParts,
  saidOf: (common: { askedAt: number; receipt: string }) => PortalRequest,
): Promise<{ receipt: string } | null> {
  const { env, store } = parts
  const said = saidOf({ askedAt: env.now(), receipt: newReceipt(env) })
  const { receipt } = said
  const box = sealPortalRequest(said, parts.vault.box, env)
  const kept = await store.transact(
    (done: boolean) => (done ? { act: 'request.kept', actor: 'portal' } : null),
    async (tx) => {
      const waiting = await tx
        .selectFrom('portal_request')
        .select([(e) => e.fn.max('seq').as('seq'), (e) => e.fn.countAll().as('n')])
        .executeTakeFirst()
      if (Number(waiting?.n ?? 0) >= WAITING_MAX) return false
      const seq = Number(waiting?.seq ?? 0) + 1
      await tx
        .insertInto('portal_request')
        .values({ seq, request: env.id(), box, asked_at: env.now() })
        .execute()
      if (said.version !== 3)
        await keepReceived(tx, {
          receipt,
          second: secondOf(said),
          erasureAsked: said.erasureAsked,
          at: said.askedAt,
        })
      return true
    },
  )
  return kept ? { receipt } : null
}

async function list(parts: PortalParts): Promise<Answer> {
  const rows = await parts.store.db
    .selectFrom('portal_request')
    .select(['request', 'box'])
    .orderBy('seq')
    .limit(LIST_MAX)
    .execute()
  return json(rows)
}

/** The whole list anew, as the vault has it from the hospitals' declarations. */
async function named(parts: PortalParts, call: Call): Promise<Answer> {
  const body = HospitalsBody.safeParse(bodyOf(call))
  if (!body.success) throw new Refused('REQUEST_MALFORMED')
  const { hospitals } = body.data
  await parts.store.bookkeep(async (tx) => {
    await tx.deleteFrom('portal_hospital').execute()
    for (const { notice, ...hospital } of hospitals)
      await tx
        .insertInto('portal_hospital')
        .values({ ...hospital, notice: notice === null ? null : JSON.stringify(notice) })
        .execute()
  })
  return json({ stored: true })
}

async function worded(parts: PortalParts, call: Call): Promise<Answer> {
  await takeWords(parts.store, bodyOf(call))
  return json({ stored: true })
}

async function told(parts: PortalParts, call: Call): Promise<Answer> {
  await takeStates(parts.store, bodyOf(call), parts.env.now())
  return json({ stored: true })
}

async function taken(parts: PortalParts, call: Call): Promise<Answer> {
  const body = AckBody.safeParse(bodyOf(call))
  if (!body.success) throw new Refused('REQUEST_MALFORMED')
  const { requests } = body.data
  if (requests.length > 0)
    await parts.store.bookkeep((tx) =>
      tx.deleteFrom('portal_request').where('request', 'in', requests).execute(),
    )
  return json({ stored: true })
}

function bodyOf(call: Call): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(call.body))
  } catch {
    throw new Refused('REQUEST_MALFORMED', 'body')
  }
}

/** Only the vault fetches. Both calls are idempotent, so that remembering nonces in memory is enough. */
function vaultGuard(parts: PortalParts): (call: Call, then: () => Promise<Answer>) => Promise<Answer> {
  const seen = new Map<string, number>()
  return async (call, then) => {
    const now = parts.env.now()
    const answer = verifyRequest(call, (by) => (by === 'vault' ? parts.vault.signing : null), now)
    if ('code' in answer) return refusalAnswer(answer)
    for (const [nonce, at] of seen) if (at < now - 3 * REQUEST_SKEW_MS_MAX) seen.delete(nonce)
    if (seen.has(answer.nonce)) return refusalAnswer({ code: 'REQUEST_STALE' })
    seen.set(answer.nonce, now)
    return then()
  }
}
