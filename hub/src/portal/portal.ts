import type { Env } from '@kakehashi/protocol/env'
import { REQUEST_SKEW_MS_MAX } from '@kakehashi/protocol/limits'
import type { Log } from '@kakehashi/protocol/log'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import { verifyRequest } from '@kakehashi/protocol/requests'
import { handleOf, readStopToken } from '@kakehashi/protocol/stop-handle'
import { z } from 'zod'
import { json, refusalAnswer, type Answer, type Call, type Caller } from '../call.ts'
import { addressOf, HourBudget } from './budget.ts'
import { limitsAt, PORTAL_LIMITS, type Limits, type PortalLimits } from './limits.ts'
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
  /** Beside the built-in ones: values that hold from a later day. */
  limits?: readonly PortalLimits[]
  /** Whose word on where a call comes from counts. */
  proxies?: readonly string[]
}

export interface AskedStop {
  token: string
  requester: PortalStop['requester']
  erasureAsked: boolean
  /** Counted against its network's budget, and forgotten. */
  address: string
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
   * portal could not tell. Beyond the budget it is taken with the same answer, and passed on in its turn. `null` when it
   * is no token at all, its network asks without end, or more are waiting than may.
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

const LIST_MAX = 100

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

type Asked = Exclude<keyof PortalLimits, 'from' | 'waiting' | 'waitingBehind'>

/** What is asked is counted before anything is done with it; `null` when it is beyond both budgets. */
function counters(parts: PortalParts) {
  const { env, limits = [] } = parts
  const dated = [...PORTAL_LIMITS, ...limits]
  const budget = (what: Asked) => new HourBudget(env, (now): Limits => limitsAt(dated, now)[what])
  const [tokens, tokensBehind] = [budget('tokens'), budget('tokensBehind')]
  const [numbers, numbersBehind] = [budget('numbers'), budget('numbersBehind')]
  const twice = (first: HourBudget, behind: HourBudget) => (asked: { about?: string; address: string }) => {
    if (first.take(asked, env.now())) return { queued: false }
    return behind.take(asked, env.now()) ? { queued: true } : null
  }
  return {
    tokens: twice(tokens, tokensBehind),
    numbers: twice(numbers, numbersBehind),
    questions: budget('questions'),
    looks: budget('looks'),
    mostWaiting: (queued: boolean) => limitsAt(dated, env.now())[queued ? 'waitingBehind' : 'waiting'],
  }
}

export function createPortal(parts: PortalParts): Portal {
  const { env } = parts
  const count = counters(parts)
  const taking: Omit<Portal, 'handle' | 'hospitals' | 'noticeOf'> = {
    async takeStop({ token, address, ...said }) {
      const read = readStopToken(token)
      const handle = read === null ? null : handleOf(read)
      const counted = handle === null ? null : count.tokens({ about: handle, address })
      if (handle === null || counted === null) return null
      const mark = counted.queued ? counted : {}
      return keep(parts, count.mostWaiting(counted.queued), (common) => ({
        ...{ version: 1, handle, ...said, ...mark, ...common },
      }))
    },
    async takeNumberStop({ address, ...said }) {
      const counted = count.numbers({ about: `${said.facility}\0${said.number}`, address })
      if (counted === null) return null
      const mark = counted.queued ? counted : {}
      return keep(parts, count.mostWaiting(counted.queued), (common) => ({
        ...{ version: 2, ...said, ...mark, ...common },
      }))
    },
    async takeQuestion({ address, ...said }) {
      const tooLong = [...said.text].length > QUESTION_MAX || [...said.contact].length > CONTACT_MAX
      if (said.text.trim() === '' || tooLong) throw new Refused('REQUEST_MALFORMED', 'text')
      if (!count.questions.take({ address }, env.now())) return null
      return keep(parts, count.mostWaiting(true), (common) => ({ version: 3, ...said, ...common }))
    },
    async stateOf({ receipt, second, address }) {
      if (!count.looks.take({ about: receipt, address }, env.now())) return 'too-often'
      return (await findState(parts.store, receipt, second)) ?? 'unknown'
    },
  }
  const routes = routesOf(parts, taking.takeStop)
  return {
    ...taking,
    hospitals: () => hospitalsIn(parts.store),
    noticeOf: (facility, language) => noticeIn(parts.store, facility, language),
    async handle(call) {
      try {
        const { pathname } = new URL(call.path, 'http://portal.invalid')
        const route = routes.get(`${call.method} ${pathname}`)
        return route ? await route(call) : refusalAnswer({ code: 'NOT_FOUND' })
      } catch (error) {
        if (error instanceof Refused) return refusalAnswer(error.refusal)
        parts.log('portal.failed')
        return json({ code: 'REQUEST_MALFORMED' }, 500)
      }
    },
  }
}

function routesOf(parts: PortalParts, takeStop: Portal['takeStop']): Map<string, Caller> {
  const guarded = vaultGuard(parts)
  const vaultOnly =
    (then: (call: Call) => Promise<unknown>): Caller =>
    (call) =>
      guarded(call, async () => json((await then(call)) ?? { stored: true }))
  const { store, env } = parts
  return new Map<string, Caller>([
    ['GET /v1/health', async () => json({ up: true })],
    ['POST /v1/stops', (call) => postStop(parts, takeStop, call)],
    ['GET /v1/vault/requests', vaultOnly(() => list(parts))],
    ['POST /v1/vault/requests/acks', vaultOnly((call) => taken(parts, call))],
    ['POST /v1/vault/hospitals', vaultOnly((call) => named(parts, call))],
    ['POST /v1/vault/notices', vaultOnly((call) => takeList(store, bodyOf(call)))],
    ['POST /v1/vault/notices/words', vaultOnly((call) => takeWords(store, bodyOf(call)))],
    ['POST /v1/vault/states', vaultOnly((call) => takeStates(store, bodyOf(call), env.now()))],
  ])
}

function hospitalsIn({ db }: PortalStore): Promise<{ facility: string; name: string }[]> {
  return db
    .selectFrom('portal_hospital')
    .select(['facility', 'name'])
    .orderBy('name')
    .orderBy('facility')
    .execute()
}

async function noticeIn(
  store: PortalStore,
  facility: string,
  language: NoticeLanguage,
): Promise<HospitalNotice | null> {
  const row = await store.db
    .selectFrom('portal_hospital')
    .selectAll()
    .where('facility', '=', facility)
    .executeTakeFirst()
  if (!row) return null
  const notice = row.notice === null ? null : (JSON.parse(row.notice) as NoticeFacts)
  return { name: row.name, notice, words: await wordsOf(store, facility, language) }
}

async function postStop(parts: PortalParts, takeStop: Portal['takeStop'], call: Call): Promise<Answer> {
  const asked = StopBody.safeParse(bodyOf(call))
  if (!asked.success || readStopToken(asked.data.token) === null)
    return refusalAnswer({ code: 'REQUEST_MALFORMED', place: 'token' })
  const address = addressOf(call.peer, call.headers['x-forwarded-for'], parts.proxies ?? [])
  const taken = await takeStop({ ...asked.data, address })
  return taken ? json(taken) : refusalAnswer({ code: 'TOO_OFTEN' })
}

async function keep(
  parts: PortalParts,
  waitingMax: number,
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
      if (Number(waiting?.n ?? 0) >= waitingMax) return false
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

async function list(parts: PortalParts): Promise<{ request: string; box: string }[]> {
  return parts.store.db
    .selectFrom('portal_request')
    .select(['request', 'box'])
    .orderBy('seq')
    .limit(LIST_MAX)
    .execute()
}

/** The whole list anew, as the vault has it from the hospitals' declarations. */
async function named(parts: PortalParts, call: Call): Promise<void> {
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
}

async function taken(parts: PortalParts, call: Call): Promise<void> {
  const body = AckBody.safeParse(bodyOf(call))
  if (!body.success) throw new Refused('REQUEST_MALFORMED')
  const { requests } = body.data
  if (requests.length > 0)
    await parts.store.bookkeep((tx) =>
      tx.deleteFrom('portal_request').where('request', 'in', requests).execute(),
    )
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
