import type { AgentParts } from '@kakehashi/agent/agent'
import type { Answer, Call, Caller } from '@kakehashi/hub/call'
import type { Gateway } from '@kakehashi/hub/gateway/gateway'
import type { VaultParts } from '@kakehashi/hub/vault/parts'
import type { decide } from '@kakehashi/protocol/rules/decide'
import { signRequest } from '@kakehashi/protocol/requests'
import type { GateState } from '@kakehashi/protocol/rules/state'
import { recordHash } from '@kakehashi/hub/content/partition'
import { HOUR, MINUTE } from './calendar.ts'
import type { Synchronous } from './disk.ts'
import type { Host } from './host.ts'

/**
 * A fault planted by exchanging parts. Every hook is handed the real part and answers with the one to use instead;
 * `sql` is the database part: it may change a statement's text on its way in.
 */
export interface Plant {
  what: string
  /** Invariants it may break first. */
  caughtBy: readonly string[]
  synchronous?: Synchronous
  sql?: (host: string, text: string) => string
  agentParts?: (parts: AgentParts, host: Host) => AgentParts
  gateway?: (gateway: Gateway, host: Host) => Gateway
  vaultParts?: (parts: VaultParts, host: Host) => VaultParts
}

type Decide = typeof decide

const json = (answer: Answer): Record<string, unknown> => JSON.parse(new TextDecoder().decode(answer.body))
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

function withPatient(state: GateState, change: Partial<GateState['patient']>): GateState {
  return { ...state, patient: { ...state.patient, ...change } }
}

/** Answers every upload at once and stores it a little later. */
function ackBeforeCommit(gateway: Gateway, host: Host): Gateway {
  const env = host.env()
  return {
    ...gateway,
    async handle(call) {
      if (call.method !== 'PUT') return gateway.handle(call)
      const url = new URL(call.path, 'http://gateway.invalid')
      env.after(10 * MINUTE, () => void gateway.handle(call))
      const batch = url.pathname.split('/').at(-1)
      const ack = { batch, digest: url.searchParams.get('digest'), storedAt: env.now() }
      return { status: 200, headers: {}, body: bytes(ack) }
    },
  }
}

/** Once allowed, always allowed: as if the gate were only asked when a batch is queued. */
function decideOnce(real: Decide): Decide {
  const allowed = new Map<string, ReturnType<Decide>>()
  return (state, request, rules, now) => {
    const key = `${state.patient.patient} ${request.track} ${request.item}`
    const before = allowed.get(key)
    if (before) return before
    const answer = real(state, request, rules, now)
    if (answer.allow) allowed.set(key, answer)
    return answer
  }
}

/** Calls `after` with what a request was answered, before the asker sees it. */
function overhear(caller: Caller, after: (call: Call, answer: Answer) => Promise<void>): Caller {
  return async (call) => {
    const answer = await caller(call)
    if (answer.status === 200) await after(call, answer)
    return answer
  }
}

function signedByVault(parts: VaultParts, method: string, path: string, body: Uint8Array): Call {
  return {
    method,
    path,
    body,
    headers: signRequest({ method, path, body }, 'vault', parts.keys.signing, parts.env),
  }
}

export const plants: Record<string, Plant> = {
  'ack-before-commit': {
    what: 'the gateway acknowledges an upload before it is stored',
    caughtBy: ['S7'],
    gateway: ackBeforeCommit,
  },
  'synchronous-normal': {
    what: 'commits reach the disk at the next checkpoint only',
    caughtBy: ['S7', 'S8', 'S3', 'L1', 'L2'],
    synchronous: 'normal',
  },
  'no-deduplication': {
    what: 'the vault remembers neither batches nor the content it has',
    caughtBy: ['S4', 'S3'],
    sql: (host, text) =>
      host !== 'vault'
        ? text
        : text
            .replace('from "batch" where "batch" = ?', 'from "batch" where "batch" = ? and 0')
            .replace('insert into "batch" ', 'insert or replace into "batch" ')
            .replace('insert into "receipt_record" ', 'insert or replace into "receipt_record" ')
            .replace('insert into "batch_refusal" ', 'insert or replace into "batch_refusal" '),
    vaultParts: (parts) => ({
      ...parts,
      rooms: {
        ...parts.rooms,
        async landRecords(tx, about, records, tombstones) {
          const ids = records.map((record) => recordHash(about.facility, record.key))
          await tx.updateTable('content_record').set({ hash: '' }).where('record', 'in', ids).execute()
          return parts.rooms.landRecords(tx, about, records, tombstones)
        },
      },
    }),
  },
  'stop-checked-when-queued': {
    what: 'the gate is asked when a batch is queued and not again, and a stop looks at nothing that waits',
    caughtBy: ['S1', 'S2', 'S5'],
    agentParts: (parts) => ({ ...parts, decide: decideOnce(parts.decide) }),
    sql: (_host, text) =>
      /^select \* from "outbox_batch" where "leg" in \(.*"batch" in \(select/.test(text)
        ? text.replace('where ', 'where 0 and ')
        : text,
  },
  'hub-ignores-stops': {
    what: 'the second gate does not look at the stop list of the vault',
    caughtBy: ['S2'],
    vaultParts: (parts) => ({
      ...parts,
      decide: (state, request, rules, now) =>
        parts.decide(
          withPatient(state, { stops: state.patient.stops.filter((stop) => stop.origin !== 'operator') }),
          request,
          rules,
          now,
        ),
    }),
  },
  'nine-hours-off': {
    what: 'the wait is counted with a clock nine hours ahead, as if UTC were the time of Japan',
    caughtBy: ['S1'],
    agentParts: (parts) => ({
      ...parts,
      decide: (state, request, rules, now) => parts.decide(state, request, rules, now + 9 * HOUR),
    }),
  },
  'delete-forgets-outbox': {
    what: 'a stop with erasure leaves the batches that wait to be sent',
    caughtBy: ['S5', 'S2'],
    sql: (_host, text) =>
      /^select \* from "outbox_batch" where "leg" in \(.*"batch" in \(select/.test(text)
        ? text.replace('where ', 'where 0 and ')
        : text,
  },
  'claims-not-recovered': {
    what: 'what was claimed and went no further stays claimed',
    caughtBy: ['L1'],
    sql: (_host, text) =>
      text.replace(
        /^(update "outbox_batch" set "leg" = \?, "moved_at" = \? where) ("leg" = \?)$/,
        '$1 0 and $2',
      ),
  },
  'ack-drops-batch': {
    what: 'the word of the gateway is taken for the receipt of the vault',
    caughtBy: ['S3'],
    agentParts: (parts) => ({
      ...parts,
      wire: {
        ...parts.wire,
        async request(request) {
          const answer = await parts.wire.request(request)
          const ack =
            request.method === 'PUT' && answer.status === 200
              ? JSON.parse(new TextDecoder().decode(answer.body))
              : {}
          if (ack.storedAt !== undefined)
            await parts.store.bookkeep((tx) =>
              tx.deleteFrom('outbox_part').where('batch', '=', ack.batch).execute(),
            )
          return answer
        },
      },
    }),
  },
  'acks-orders-unread': {
    what: 'the agent acknowledges messages of the vault before it has applied them',
    caughtBy: ['L1', 'L2'],
    agentParts: (parts) => ({
      ...parts,
      wire: {
        ...parts.wire,
        async request(request) {
          const answer = await parts.wire.request(request)
          if (request.method !== 'GET' || !request.path.startsWith('/v1/control') || answer.status !== 200)
            return answer
          const { messages } = JSON.parse(new TextDecoder().decode(answer.body)) as {
            messages: { message: string }[]
          }
          if (messages.length === 0) return answer
          const body = bytes({ messages: messages.map((m) => m.message) })
          const path = '/v1/control/acks'
          const headers = signRequest(
            { method: 'POST', path, body },
            parts.keys.agent,
            parts.keys.signing,
            parts.env,
          )
          await parts.wire.request({ method: 'POST', path, headers, body })
          return answer
        },
      },
    }),
  },
  'takes-stops-unread': {
    what: 'the vault lets the portal forget a stop before it has kept it',
    caughtBy: ['S2', 'S7', 'L2'],
    vaultParts: (parts) => ({
      ...parts,
      portal:
        parts.portal &&
        overhear(parts.portal, async (call, answer) => {
          if (call.method !== 'GET') return
          const requests = (json(answer) as unknown as { request: string }[]).map((one) => one.request)
          if (requests.length === 0) return
          await parts.portal?.(signedByVault(parts, 'POST', '/v1/vault/requests/acks', bytes({ requests })))
        }),
    }),
  },
  'drops-sealed-unread': {
    what: 'the vault lets the gateway drop a batch before it has decided on it',
    caughtBy: ['S7', 'S3', 'L1'],
    vaultParts: (parts) => ({
      ...parts,
      gateway: overhear(parts.gateway, async (call) => {
        const batch = /^\/v1\/vault\/batches\/([^/?]+)$/.exec(call.path)?.[1]
        if (call.method === 'GET' && batch)
          await parts.gateway(
            signedByVault(parts, 'POST', `/v1/vault/batches/${batch}/done`, new Uint8Array(0)),
          )
      }),
    }),
  },
  'holds-ignored': {
    what: 'the gate does not look at holds, and setting one drops nothing',
    caughtBy: ['S2'],
    agentParts: (parts) => ({
      ...parts,
      decide: (state, request, rules, now) =>
        parts.decide(withPatient(state, { holds: [] }), request, rules, now),
    }),
  },
  'strangers-paper-passed': {
    what: 'the vault goes on admitting while nobody has said yet whose paper a stop came with',
    caughtBy: ['S2'],
    sql: (_host, text) =>
      text.includes('from "stop_delivery" as "d"')
        ? text.replace('where "d"."agent"', 'where 0 and "d"."agent"')
        : text,
  },
  'restored-opens-at-once': {
    what: 'an agent put back from an older image does not wait for the stops of the hub',
    caughtBy: ['S2', 'S7', 'L2'],
    sql: (_host, text) => text.replace('from "restored"', 'from "restored" where 0'),
  },
  'clock-believed': {
    what: 'the latest time ever seen is forgotten: a clock set back is believed',
    caughtBy: ['S1', 'S11'],
    sql: (_host, text) =>
      text.replace('select "latest" from "clock_seen"', 'select "latest" from "clock_seen" where 0'),
  },
  'guardian-forgotten': {
    what: 'a child may be sent when the child alone was notified',
    caughtBy: ['S1'],
    agentParts: (parts) => ({
      ...parts,
      decide: (state, request, rules, now) =>
        parts.decide(
          withPatient(state, { birthDate: state.patient.birthDate && '1970-01-01' }),
          request,
          rules,
          now,
        ),
    }),
  },
}
