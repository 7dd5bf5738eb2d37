import type { Instant } from '@kakehashi/protocol/env'
import type { BatchId } from '@kakehashi/protocol/ids'
import {
  POLL_MS,
  RECONNECT_MS_MAX,
  RECONNECT_MS_MIN,
  SOCKET_PING_MS,
  SOCKET_SILENCE_MS_MAX,
} from '@kakehashi/protocol/limits'

/** One thing at a time is asked of the driver, which answers with `done` or `failed`. */
export type Job =
  | { do: 'pull' }
  | { do: 'push' }
  | { do: 'hand-over' }
  | { do: 'ask'; batch: BatchId }
  | { do: 'put'; batch: BatchId; offset: number }

export type JobResult =
  | { did: 'pull'; more: boolean }
  | { did: 'push'; more: boolean }
  | { did: 'hand-over'; batch: BatchId | null; ask: boolean }
  | { did: 'ask'; offset: number | null }
  | { did: 'put'; next: number | 'stored' | 'halted' }

export type SessionEvent =
  | { t: 'start'; socket: boolean }
  | { t: 'stop' }
  | { t: 'tick' }
  /** Something new to send or to fetch: from our own store, or hinted by the gateway. */
  | { t: 'nudge' }
  | { t: 'done'; job: number; result: JobResult }
  | { t: 'failed'; job: number; dice: number }
  | { t: 'socket-opened' }
  | { t: 'socket-closed'; dice: number }
  | { t: 'socket-heard'; frame: 'hint' | 'pong' | 'ping' | 'other'; n: number }

export type Action =
  | { a: 'job'; number: number; job: Job }
  | { a: 'socket-open' }
  | { a: 'socket-close' }
  | { a: 'socket-send'; frame: { t: 'ping' | 'pong'; n: number } }
  | { a: 'wake'; at: Instant }

export interface SessionState {
  on: boolean
  job: { number: number; job: Job; since: Instant } | null
  jobs: number
  /** The batch whose upload was set aside to fetch control messages first. */
  aside: { batch: BatchId; offset: number } | null
  nudged: boolean
  nextPull: Instant
  failures: number
  socket: 'none' | 'closed' | 'opening' | 'open'
  heardAt: Instant
  pingAt: Instant
  pings: number
  socketFailures: number
  reopenAt: Instant
}

/** A job without an answer for this long is given up; its late answer is ignored. */
const JOB_MS_MAX = 90_000
/** With a living socket the gateway hints; we still look ourselves now and then. */
const POLL_WITH_SOCKET_MS = 4 * POLL_MS

export function newSession(): SessionState {
  return {
    on: false,
    job: null,
    jobs: 0,
    aside: null,
    nudged: false,
    nextPull: 0,
    failures: 0,
    socket: 'none',
    heardAt: 0,
    pingAt: 0,
    pings: 0,
    socketFailures: 0,
    reopenAt: 0,
  }
}

/** Doubles up to a minute; between half and all of that, by `dice` in [0, 1). */
export function backoff(failures: number, dice: number): number {
  const ceiling = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** Math.min(failures, 16))
  return Math.round(ceiling * (0.5 + dice / 2))
}

export function isIdle(state: SessionState): boolean {
  return state.job === null && !state.nudged
}

function begin(state: SessionState, job: Job, now: Instant): [SessionState, Action[]] {
  const number = state.jobs + 1
  return [{ ...state, jobs: number, job: { number, job, since: now } }, [{ a: 'job', number, job }]]
}

function rest(state: SessionState, now: Instant): [SessionState, Action[]] {
  if (state.nudged) return begin({ ...state, nudged: false }, { do: 'pull' }, now)
  const wait = state.socket === 'open' ? POLL_WITH_SOCKET_MS : POLL_MS
  return [{ ...state, job: null, nextPull: now + wait }, []]
}

/**
 * The order that lets nothing leave before what was ordered is applied (LAW trap 25): fetch and apply control
 * messages, report our own and acknowledge those applied, then hand over one batch and upload it; then from the beginning.
 */
function after(state: SessionState, result: JobResult, now: Instant): [SessionState, Action[]] {
  switch (result.did) {
    case 'pull':
      return begin({ ...state, nudged: false }, { do: result.more ? 'pull' : 'push' }, now)
    case 'push':
      if (result.more) return begin(state, { do: 'push' }, now)
      if (state.nudged) return begin(state, { do: 'pull' }, now)
      return state.aside
        ? begin({ ...state, aside: null }, { do: 'put', ...state.aside }, now)
        : begin(state, { do: 'hand-over' }, now)
    case 'hand-over':
      if (result.batch === null) return rest(state, now)
      return begin(
        state,
        result.ask ? { do: 'ask', batch: result.batch } : { do: 'put', batch: result.batch, offset: 0 },
        now,
      )
    case 'ask':
      if (result.offset === null || state.job?.job.do !== 'ask') return begin(state, { do: 'pull' }, now)
      return begin(state, { do: 'put', batch: state.job.job.batch, offset: result.offset }, now)
    case 'put':
      return afterPut(state, result.next, now)
  }
}

function afterPut(
  state: SessionState,
  next: number | 'stored' | 'halted',
  now: Instant,
): [SessionState, Action[]] {
  const batch = state.job?.job.do === 'put' ? state.job.job.batch : null
  if (batch === null || next === 'stored') return begin(state, { do: 'pull' }, now)
  if (next === 'halted') return begin(state, { do: 'ask', batch }, now)
  if (state.nudged) return begin({ ...state, aside: { batch, offset: next } }, { do: 'pull' }, now)
  return begin(state, { do: 'put', batch, offset: next }, now)
}

function failed(state: SessionState, dice: number, now: Instant): [SessionState, Action[]] {
  const wait = backoff(state.failures, dice)
  return [
    {
      ...state,
      job: null,
      aside: null,
      nudged: false,
      failures: state.failures + 1,
      nextPull: now + wait,
    },
    [],
  ]
}

function socketLost(state: SessionState, dice: number, now: Instant): [SessionState, Action[]] {
  if (state.socket === 'none') return [state, []]
  return [
    {
      ...state,
      socket: 'closed',
      socketFailures: state.socketFailures + 1,
      reopenAt: now + backoff(state.socketFailures, dice),
    },
    [],
  ]
}

function tickSocket(state: SessionState, now: Instant): [SessionState, Action[]] {
  if (state.socket === 'closed' && now >= state.reopenAt)
    return [{ ...state, socket: 'opening', heardAt: now }, [{ a: 'socket-open' }]]
  if (state.socket !== 'open' && state.socket !== 'opening') return [state, []]
  if (now - state.heardAt >= SOCKET_SILENCE_MS_MAX) {
    const [lost] = socketLost(state, 0, now)
    return [lost, [{ a: 'socket-close' }]]
  }
  if (state.socket === 'open' && now >= state.pingAt)
    return [
      { ...state, pings: state.pings + 1, pingAt: now + SOCKET_PING_MS },
      [{ a: 'socket-send', frame: { t: 'ping', n: state.pings + 1 } }],
    ]
  return [state, []]
}

function tick(state: SessionState, now: Instant): [SessionState, Action[]] {
  const [afterSocket, actions] = tickSocket(state, now)
  let next = afterSocket
  if (next.job && now - next.job.since >= JOB_MS_MAX) [next] = failed(next, 0, now)
  if (next.job || now < next.nextPull) return [next, actions]
  const [begun, jobs] = begin(next, { do: 'pull' }, now)
  return [begun, [...actions, ...jobs]]
}

function nudge(state: SessionState, now: Instant): [SessionState, Action[]] {
  if (state.job) return [{ ...state, nudged: true }, []]
  // a failing line is left alone until its time has come: hints must not defeat the backoff
  if (state.failures > 0 && now < state.nextPull) return [state, []]
  return begin(state, { do: 'pull' }, now)
}

function react(state: SessionState, event: SessionEvent, now: Instant): [SessionState, Action[]] {
  switch (event.t) {
    case 'start':
      return tick(
        {
          ...newSession(),
          jobs: state.jobs,
          on: true,
          socket: event.socket ? 'closed' : 'none',
          nextPull: now,
        },
        now,
      )
    case 'stop':
      return [{ ...newSession(), jobs: state.jobs }, state.socket === 'none' ? [] : [{ a: 'socket-close' }]]
    case 'tick':
      return tick(state, now)
    case 'nudge':
      return nudge(state, now)
    case 'done':
      if (state.job?.number !== event.job) return [state, []]
      return after({ ...state, failures: 0 }, event.result, now)
    case 'failed':
      return state.job?.number === event.job ? failed(state, event.dice, now) : [state, []]
    case 'socket-opened':
      return [{ ...state, socket: 'open', heardAt: now, pingAt: now + SOCKET_PING_MS, socketFailures: 0 }, []]
    case 'socket-closed':
      return socketLost(state, event.dice, now)
    case 'socket-heard':
      return heard({ ...state, heardAt: now }, event, now)
  }
}

function heard(
  state: SessionState,
  event: { frame: 'hint' | 'pong' | 'ping' | 'other'; n: number },
  now: Instant,
): [SessionState, Action[]] {
  if (event.frame === 'hint') return nudge(state, now)
  if (event.frame === 'ping') return [state, [{ a: 'socket-send', frame: { t: 'pong', n: event.n } }]]
  return [state, []]
}

function nextDeadline(state: SessionState): Instant {
  const deadlines = [state.job ? state.job.since + JOB_MS_MAX : state.nextPull]
  if (state.socket === 'closed') deadlines.push(state.reopenAt)
  if (state.socket === 'opening' || state.socket === 'open')
    deadlines.push(state.heardAt + SOCKET_SILENCE_MS_MAX)
  if (state.socket === 'open') deadlines.push(state.pingAt)
  return Math.min(...deadlines)
}

/** The whole conversation with the gateway as a pure machine: no socket, clock or randomness of its own. */
export function step(
  state: SessionState,
  event: SessionEvent,
  now: Instant,
): [state: SessionState, actions: Action[]] {
  if (!state.on && event.t !== 'start') return [state, []]
  const [next, actions] = react(state, event, now)
  return next.on ? [next, [...actions, { a: 'wake', at: nextDeadline(next) }]] : [next, actions]
}
