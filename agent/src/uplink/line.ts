import type { Instant } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import type { AgentContext } from '../context.ts'
import { Courier } from './courier.ts'
import { isIdle, newSession, step, type Action, type SessionEvent, type SessionState } from './session.ts'
import type { Wire, WireSocket } from './wire-shape.ts'

const SESSION_PATH = '/v1/session'

/** Feeds the session with events in order and performs its actions, one job at a time. */
export class Line {
  readonly #context: AgentContext
  readonly #wire: Wire
  readonly #courier: Courier
  #state: SessionState = newSession()
  #socket: WireSocket | null = null
  #cancelWake: () => void = () => {}
  #whenIdle: (() => void)[] = []
  lastFailure: string | null = null
  lastContactAt: Instant | null = null

  constructor(context: AgentContext, wire: Wire) {
    this.#context = context
    this.#wire = wire
    this.#courier = new Courier(context, wire)
  }

  get state(): SessionState {
    return this.#state
  }

  start(options: { socket: boolean }): void {
    this.feed({ t: 'start', socket: options.socket })
  }

  stop(): void {
    this.feed({ t: 'stop' })
    this.#cancelWake()
    this.#settleIdle()
  }

  nudge(): void {
    this.feed({ t: 'nudge' })
  }

  /** Runs until nothing is left to fetch, report or upload, or the line fails. No socket, no timer of its own. */
  async exchange(): Promise<{ failure: string | null }> {
    const was = this.#state.on
    this.lastFailure = null
    if (was) this.nudge()
    else this.feed({ t: 'start', socket: false })
    if (!isIdle(this.#state)) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    if (!was) this.stop()
    return { failure: this.lastFailure }
  }

  /** Whether the gateway answers us, without moving anything. The reason if not. */
  async knock(): Promise<string | null> {
    try {
      await this.#courier.knock()
      return null
    } catch (error) {
      return error instanceof Refused ? error.refusal.code : failureName(error)
    }
  }

  feed(event: SessionEvent): void {
    const [next, actions] = step(this.#state, event, this.#context.env.now())
    this.#state = next
    for (const action of actions) this.#act(action)
    if (isIdle(this.#state)) this.#settleIdle()
  }

  #settleIdle(): void {
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of waiting) resolve()
  }

  #act(action: Action): void {
    if (action.a === 'job') void this.#perform(action)
    else if (action.a === 'socket-open') this.#open()
    else if (action.a === 'socket-close') this.#close()
    else if (action.a === 'socket-send') this.#socket?.send(JSON.stringify(action.frame))
    else this.#wakeAt(action.at)
  }

  async #perform(action: { number: number; job: Parameters<Courier['perform']>[0] }): Promise<void> {
    try {
      const result = await this.#courier.perform(action.job)
      this.lastContactAt = this.#context.env.now()
      this.feed({ t: 'done', job: action.number, result })
    } catch (error) {
      this.#courier.forgetPlace()
      const code = error instanceof Refused ? error.refusal.code : null
      this.lastFailure = code ?? failureName(error)
      this.#context.log('uplink.failed', { code })
      this.feed({ t: 'failed', job: action.number, dice: this.#dice() })
    }
  }

  #dice(): number {
    const [byte = 0] = this.#context.env.random(1)
    return byte / 256
  }

  #wakeAt(at: Instant): void {
    this.#cancelWake()
    const wait = Math.max(0, at - this.#context.env.now())
    this.#cancelWake = this.#context.env.after(wait, () => this.feed({ t: 'tick' }))
  }

  #open(): void {
    const headers = this.#courier.headers('GET', SESSION_PATH)
    let mine: WireSocket | null = null
    const current = () => mine !== null && this.#socket === mine
    mine = this.#wire.connect(
      { path: SESSION_PATH, headers },
      {
        opened: () => current() && this.feed({ t: 'socket-opened' }),
        heard: (text) => current() && this.feed(heardFrame(text)),
        closed: () => {
          if (!current()) return
          this.#socket = null
          this.feed({ t: 'socket-closed', dice: this.#dice() })
        },
      },
    )
    this.#socket = mine
  }

  #close(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.close()
  }
}

/** The system's own word (`ECONNREFUSED`) where there is one. */
function failureName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}

/** A control frame is taken as a hint: the message is fetched in order with all others. */
function heardFrame(text: string): SessionEvent {
  try {
    const frame = JSON.parse(text) as { t?: unknown; n?: unknown }
    const n = typeof frame.n === 'number' ? frame.n : 0
    if (frame.t === 'ping' || frame.t === 'pong') return { t: 'socket-heard', frame: frame.t, n }
    if (frame.t === 'hint' || frame.t === 'control') return { t: 'socket-heard', frame: 'hint', n }
  } catch {
    // not ours: heard nevertheless
  }
  return { t: 'socket-heard', frame: 'other', n: 0 }
}
