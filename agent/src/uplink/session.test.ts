import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchId } from '@kakehashi/protocol/ids'
import { backoff, newSession, step, type Action, type SessionEvent, type SessionState } from './session.ts'

const batch = batchId('b1')

/** Drives the machine by hand and remembers what it asked for. */
class Drive {
  state: SessionState = newSession()
  now = 0
  last: Action[] = []
  feed(event: SessionEvent): Action[] {
    ;[this.state, this.last] = step(this.state, event, this.now)
    return this.last
  }
  get job(): string | null {
    return this.state.job?.job.do ?? null
  }
  done(result: Extract<SessionEvent, { t: 'done' }>['result']): Action[] {
    return this.feed({ t: 'done', job: this.state.jobs, result })
  }
  fail(): Action[] {
    return this.feed({ t: 'failed', job: this.state.jobs, dice: 0.5 })
  }
}

test('orders are fetched and applied, and our own reported, before a batch is handed over; and again before the next', () => {
  const d = new Drive()
  d.feed({ t: 'start', socket: false })
  expect(d.job).toBe('pull')
  d.done({ did: 'pull', more: true })
  expect(d.job).toBe('pull')
  d.done({ did: 'pull', more: false })
  expect(d.job).toBe('push')
  d.done({ did: 'push', more: true })
  d.done({ did: 'push', more: false })
  expect(d.job).toBe('hand-over')
  d.done({ did: 'hand-over', batch, ask: false })
  expect(d.state.job?.job).toEqual({ do: 'put', batch, offset: 0 })
  d.done({ did: 'put', next: 1024 })
  expect(d.state.job?.job).toEqual({ do: 'put', batch, offset: 1024 })
  d.done({ did: 'put', next: 'stored' })
  expect(d.job).toBe('pull')
  d.done({ did: 'pull', more: false })
  d.done({ did: 'push', more: false })
  d.done({ did: 'hand-over', batch: null, ask: false })
  expect(d.job).toBe(null)
})

test('a hint in the middle of an upload: the order is fetched before the next part, then the upload goes on', () => {
  const d = new Drive()
  d.feed({ t: 'start', socket: false })
  d.done({ did: 'pull', more: false })
  d.done({ did: 'push', more: false })
  d.done({ did: 'hand-over', batch, ask: false })
  d.feed({ t: 'nudge' })
  expect(d.job).toBe('put')
  d.done({ did: 'put', next: 1024 })
  expect(d.job).toBe('pull')
  d.done({ did: 'pull', more: false })
  d.done({ did: 'push', more: false })
  expect(d.state.job?.job).toEqual({ do: 'put', batch, offset: 1024 })
  d.done({ did: 'put', next: 'halted' })
  expect(d.state.job?.job).toEqual({ do: 'ask', batch })
})

test('a batch of an earlier life is asked about and resumed where the gateway stands', () => {
  const d = new Drive()
  d.feed({ t: 'start', socket: false })
  d.done({ did: 'pull', more: false })
  d.done({ did: 'push', more: false })
  d.done({ did: 'hand-over', batch, ask: true })
  expect(d.state.job?.job).toEqual({ do: 'ask', batch })
  d.done({ did: 'ask', offset: 2048 })
  expect(d.state.job?.job).toEqual({ do: 'put', batch, offset: 2048 })
})

test('a half-open socket is taken for dead within 30 seconds and opened again', () => {
  const d = new Drive()
  expect(d.feed({ t: 'start', socket: true })).toContainEqual({ a: 'socket-open' })
  d.feed({ t: 'socket-opened' })
  let closedAt: number | null = null
  for (d.now = 1000; d.now <= 40_000 && closedAt === null; d.now += 1000)
    if (d.feed({ t: 'tick' }).some((a) => a.a === 'socket-close')) closedAt = d.now
  expect(closedAt).toBeLessThanOrEqual(30_000)
  expect(d.state.socket).toBe('closed')
  d.now = d.state.reopenAt
  expect(d.feed({ t: 'tick' })).toContainEqual({ a: 'socket-open' })
})

test('a living socket is pinged at least every ten seconds and stays', () => {
  const d = new Drive()
  d.feed({ t: 'start', socket: true })
  d.feed({ t: 'socket-opened' })
  let pings = 0
  for (d.now = 1000; d.now <= 120_000; d.now += 1000) {
    const asked = d.feed({ t: 'tick' })
    expect(asked.some((a) => a.a === 'socket-close')).toBe(false)
    if (asked.some((a) => a.a === 'socket-send')) {
      pings += 1
      d.feed({ t: 'socket-heard', frame: 'pong', n: pings })
    }
  }
  expect(pings).toBeGreaterThanOrEqual(11)
})

test('a failing line is left alone for a time that doubles to a minute; hints do not shorten it', () => {
  const d = new Drive()
  d.feed({ t: 'start', socket: false })
  const waits: number[] = []
  for (let n = 0; n < 10; n++) {
    d.fail()
    waits.push(d.state.nextPull - d.now)
    d.feed({ t: 'nudge' })
    expect(d.job).toBe(null)
    d.now = d.state.nextPull
    d.feed({ t: 'tick' })
    expect(d.job).toBe('pull')
  }
  expect(waits.at(-1)).toBe(45_000)
  expect(waits.slice(0, 4)).toEqual([375, 750, 1500, 3000])
  d.done({ did: 'pull', more: false })
  expect(d.state.failures).toBe(0)
})

test('an answer that never comes is given up, and its late arrival changes nothing', () => {
  const d = new Drive()
  d.feed({ t: 'start', socket: false })
  const late = d.state.jobs
  d.now = 90_000
  d.feed({ t: 'tick' })
  expect(d.state.failures).toBe(1)
  d.now += 60_000
  d.feed({ t: 'tick' })
  const before = d.state
  d.feed({ t: 'done', job: late, result: { did: 'pull', more: true } })
  expect(d.state).toEqual(before)
})

test('whatever happens in whatever order, at most one job runs, and a wake is always set while it is on', () => {
  const event = fc.oneof<fc.Arbitrary<SessionEvent>[]>(
    fc.constant({ t: 'start', socket: true }),
    fc.constant({ t: 'tick' }),
    fc.constant({ t: 'nudge' }),
    fc.constant({ t: 'socket-opened' }),
    fc.record({
      t: fc.constant('socket-closed' as const),
      dice: fc.double({ min: 0, max: 0.99, noNaN: true }),
    }),
    fc.record({
      t: fc.constant('socket-heard' as const),
      frame: fc.constantFrom('hint' as const, 'ping' as const, 'pong' as const, 'other' as const),
      n: fc.nat(),
    }),
    fc.record({ t: fc.constant('failed' as const), job: fc.nat(20), dice: fc.constant(0.2) }),
    fc.record({
      t: fc.constant('done' as const),
      job: fc.nat(20),
      result: fc.constantFrom(
        { did: 'pull' as const, more: false },
        { did: 'push' as const, more: false },
        { did: 'hand-over' as const, batch, ask: false },
        { did: 'put' as const, next: 'halted' as const },
        { did: 'put' as const, next: 7 },
      ),
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(40_000)), { maxLength: 80 }), (events) => {
      const d = new Drive()
      let running: number | null = null
      for (const [one, later] of events) {
        d.now += later
        const asked = d.feed(one)
        const jobs = asked.filter((a) => a.a === 'job')
        if (jobs.length > 1) return false
        if (jobs[0]?.a === 'job') {
          if (running !== null && d.state.job?.number !== jobs[0].number) return false
          running = jobs[0].number
        }
        if (d.state.on && !asked.some((a) => a.a === 'wake')) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
})

test('the wait is never more than a minute nor less than half its step', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, dice) => {
      const wait = backoff(failures, dice)
      return wait >= 250 && wait <= 60_000
    }),
  )
})
