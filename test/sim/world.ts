import { createHash } from 'node:crypto'
import type { Instant } from '@kakehashi/protocol/env'
import { Dead } from './host.ts'
import { Heap } from './heap.ts'

const TRACE_LINES_KEPT = 40

export class Violation extends Error {
  override name = 'Violation'
  readonly invariant: string
  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`)
    this.invariant = invariant
  }
}

interface Scheduled {
  at: Instant
  sequence: number
  label: string
  run: () => unknown
}

/**
 * Virtual time. One event runs at a time, then everything it set going (Kysely's promises) is drained before the
 * next; equal times run in the order they were scheduled. So a seed is a history.
 */
export class World {
  now: Instant
  events = 0
  readonly faults = new Map<string, number>()
  readonly sometimes = new Map<string, number>()
  readonly #queue = new Heap<Scheduled>((a, b) => a.at - b.at || a.sequence - b.sequence)
  readonly #trace = createHash('sha256')
  readonly #recent: { at: Instant; line: string }[] = []
  readonly #print: boolean
  #sequence = 0
  #failure: unknown = null

  constructor(start: Instant, print = false) {
    this.now = start
    this.#print = print
  }

  at(when: Instant, label: string, run: () => unknown): () => void {
    const item: Scheduled = {
      at: Math.round(Math.max(when, this.now)),
      sequence: this.#sequence++,
      label,
      run,
    }
    this.#queue.push(item)
    return () => {
      item.run = nothing
      item.label = ''
    }
  }

  after(ms: number, label: string, run: () => unknown): () => void {
    return this.at(this.now + Math.max(0, Math.round(ms)), label, run)
  }

  /** A line of the history: what happened, with no value that libsodium's own randomness touched. */
  note(line: string): void {
    this.#trace.update(`${this.now} ${line}\n`)
    this.#recent.push({ at: this.now, line })
    if (this.#recent.length > TRACE_LINES_KEPT) this.#recent.shift()
    if (this.#print) console.log(dated(this.now, line))
  }

  fault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
  }

  saw(what: string): void {
    this.sometimes.set(what, (this.sometimes.get(what) ?? 0) + 1)
  }

  /** The first thing that went wrong ends the run; it is thrown by {@link run}. */
  fail(error: unknown): void {
    if (this.#failure === null) this.note(`!! ${error instanceof Error ? error.message : String(error)}`)
    this.#failure ??= error
  }

  violate(invariant: string, text: string): void {
    this.fail(new Violation(invariant, text))
  }

  orThrow(): void {
    if (this.#failure !== null) throw this.#failure
  }

  recent(): readonly string[] {
    return this.#recent.map(({ at, line }) => dated(at, line))
  }

  traceHash(): string {
    return this.#trace.copy().digest('hex')
  }

  /** Runs every event up to `until`, `check` after each. */
  async run(until: Instant, check: () => void | Promise<void>): Promise<void> {
    for (let next = this.#queue.peek(); next && next.at <= until; next = this.#queue.peek()) {
      this.#queue.pop()
      if (next.run === nothing) continue
      this.now = next.at
      this.events++
      if (next.label !== '') this.note(next.label)
      this.launch(next.run)
      await drain()
      if (this.#failure === null) await check()
      if (this.#failure !== null) throw this.#failure
    }
    this.now = Math.max(this.now, until)
  }

  /** Starts something that may outlive this event; what it throws, unless it is a death, ends the run. */
  launch(run: () => unknown): void {
    const failed = (error: unknown): void => {
      if (!(error instanceof Dead)) this.fail(error)
    }
    try {
      const result = run()
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

function dated(at: Instant, line: string): string {
  return `${new Date(at).toISOString()} ${line}`
}

function nothing(): void {}

/** Everything in this process is promises over a synchronous database: one turn of the loop runs them all out. */
function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
