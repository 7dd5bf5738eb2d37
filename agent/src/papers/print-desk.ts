import type { Env, Instant } from '@kakehashi/protocol/env'
import { dropOldest } from '@kakehashi/ui/sessions'
import type { PrintReport } from './flow.ts'
import type { Published } from './texts.ts'

const RUNS_MAX = 20
const RUN_MS_MAX = 15 * 60_000
const OPENED_MAX = 500

export interface HeldRun {
  session: string
  at: Instant
  report: PrintReport
  published: Published
  kind: 'notice' | 'letter'
}

/** What is only in memory: tokens of sheets just printed, and which sheets a session has opened. */
export class PrintDesk {
  readonly #env: Pick<Env, 'now'>
  readonly #runs = new Map<string, HeldRun>()
  readonly #opened = new Map<string, true>()
  constructor(env: Pick<Env, 'now'>) {
    this.#env = env
  }

  hold(run: Omit<HeldRun, 'at'>): void {
    dropOldest(this.#runs, RUNS_MAX)
    this.#runs.set(run.report.run, { ...run, at: this.#env.now() })
  }

  /** Only for who printed it, and not for long. */
  held(run: string, session: string): HeldRun | null {
    const held = this.#runs.get(run)
    if (!held || held.session !== session) return null
    if (this.#env.now() - held.at <= RUN_MS_MAX) return held
    this.#runs.delete(run)
    return null
  }

  open(session: string, paper: string): void {
    dropOldest(this.#opened, OPENED_MAX)
    this.#opened.set(`${session} ${paper}`, true)
  }

  isOpen(session: string, paper: string): boolean {
    return this.#opened.has(`${session} ${paper}`)
  }
}
