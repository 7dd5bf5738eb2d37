import type { Host } from './host.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TIMEOUT_MS = 60_000
const PACKETS_KEPT = 12

/** Whoever misses the answer to one of these must say it again, and whoever hears it twice must do it once. */
const DECISIVE = / PUT |\/done$|\/acks(\/taken)?$| POST \/v1\/(vault\/)?control$/

/** How bad the network is in this seed (swarm testing: each seed has its own weather). */
export interface Weather {
  loss: number
  duplicates: number
  delayMs: number
  /** Share of packets that take hours to days. */
  lateShare: number
  replayShare: number
  cutShare: number
  /** Share of uploads and of words that let something be forgotten whose request or answer gets lost. */
  spite: number
}

export function weather(random: Prng): Weather {
  return {
    loss: random.chance(0.3) ? 0 : random.unit() * random.pick([0.02, 0.02, 0.05, 0.05, 0.1, 0.3]),
    duplicates: random.chance(0.3) ? 0 : random.unit() * random.pick([0.1, 0.1, 0.5]),
    delayMs: random.pick([20, 200, 2000, 6000]),
    lateShare: random.chance(0.5) ? 0 : random.unit() * random.pick([0.01, 0.01, 0.03, 0.1]),
    replayShare: random.chance(0.5) ? 0 : random.unit() * 0.5,
    cutShare: random.chance(0.5) ? 0 : random.unit() * 0.7,
    spite: random.chance(0.4) ? 0 : random.unit() * random.pick([0.1, 0.5]),
  }
}

/** No answer came: refused, lost, late or cut; the caller cannot tell which. */
export class NetworkFailed extends Error {
  override name = 'NetworkFailed'
}

interface Packet {
  to: Host
  label: string
  deliver: () => Promise<unknown>
}

/** Requests and answers between hosts over one-way links, each of which may be slow, clogged or cut. */
export class Net {
  readonly #world: World
  readonly #random: Prng
  #weather: Weather
  readonly #clogged = new Map<string, number>()
  readonly #recorded = new Map<string, Packet[]>()

  constructor(world: World, random: Prng, weather: Weather) {
    this.#world = world
    this.#random = random
    this.#weather = weather
  }

  /** The heal phase: from now on everything arrives, once and soon. */
  heal(): void {
    this.#weather = {
      loss: 0,
      duplicates: 0,
      delayMs: 20,
      lateShare: 0,
      replayShare: 0,
      cutShare: 0,
      spite: 0,
    }
    this.#clogged.clear()
    this.#recorded.clear()
  }

  /** Nothing passes from `from` to `to` until then; what was on its way is lost. One way only. */
  partition(from: string, to: string, until: number): void {
    this.#world.fault('one-way partition')
    this.#clogged.set(`x ${from} ${to}`, until)
  }

  isCut(one: string, other: string): boolean {
    return [`x ${one} ${other}`, `x ${other} ${one}`].some(
      (way) => (this.#clogged.get(way) ?? 0) > this.#world.now,
    )
  }

  /** What is sent from `from` to `to` waits until then, and comes all at once. */
  clog(from: string, to: string, until: number): void {
    this.#world.fault('clog')
    this.#clogged.set(`~ ${from} ${to}`, until)
  }

  /**
   * Delivers a request and brings the answer back, or throws {@link NetworkFailed} after the time-out; the request
   * may have been carried out all the same, once or more often. `cut` is what arrives when the connection breaks.
   */
  call<T>(
    from: Host,
    to: Host,
    label: string,
    deliver: () => Promise<T>,
    cut?: () => Promise<unknown>,
  ): Promise<T> {
    const boot = from.boot
    return new Promise<T>((resolve, reject) => {
      const giveUp = this.#world.after(TIMEOUT_MS, '', () => {
        if (from.alive(boot)) reject(new NetworkFailed(`no answer to ${label}`))
      })
      let answerLost = false
      const spited = DECISIVE.test(label) && this.#random.chance(this.#weather.spite)
      const answer = (value: T): void => {
        if (spited) this.#world.fault('answer lost')
        answerLost =
          spited ||
          !this.#travel(to.name, from.name, `answer ${label}`, () => {
            if (!from.alive(boot)) return
            giveUp()
            resolve(value)
          })
      }
      if (cut && this.#random.chance(this.#weather.cutShare)) {
        this.#world.fault('cut mid-upload')
        this.#world.saw('connection cut mid-upload')
        this.#travel(from.name, to.name, `${label} cut`, () => (to.up ? cut() : undefined))
        return
      }
      this.#record({ to, label, deliver })
      this.#travel(from.name, to.name, label, async () => {
        if (!to.up) return
        const toBoot = to.boot
        const value = await deliver()
        if (to.alive(toBoot)) answer(value)
      })
      if (this.#random.chance(this.#weather.duplicates)) {
        this.#world.fault('duplicated')
        this.#travel(from.name, to.name, `${label} again`, () => {
          if (!to.up) return
          if (answerLost) this.#world.saw('duplicate delivered after its answer was lost')
          return deliver()
        })
      }
    })
  }

  /** A box on the way kept what it saw and sends some of it once more, after `host` came back. */
  replayTo(host: Host): void {
    for (const packet of this.#recorded.get(host.name) ?? []) {
      if (!this.#random.chance(this.#weather.replayShare)) continue
      this.#world.fault('replayed after reboot')
      this.#world.saw('request replayed after reboot')
      this.#world.after(this.#random.between(0, 10 * MINUTE), `replay ${packet.label}`, () =>
        packet.to.up ? packet.deliver() : undefined,
      )
    }
  }

  #record(packet: Packet): void {
    const kept = this.#recorded.get(packet.to.name) ?? []
    kept.push(packet)
    if (kept.length > PACKETS_KEPT) kept.shift()
    this.#recorded.set(packet.to.name, kept)
  }

  #travel(from: string, to: string, label: string, arrive: () => unknown): boolean {
    const { now } = this.#world
    if ((this.#clogged.get(`x ${from} ${to}`) ?? 0) > now || this.#random.chance(this.#weather.loss)) {
      this.#world.fault('lost')
      return false
    }
    let delay = this.#random.exponential(this.#weather.delayMs)
    if (this.#random.chance(this.#weather.lateShare)) {
      this.#world.fault('late')
      delay = this.#random.exponential(18 * HOUR)
    }
    const free = this.#clogged.get(`~ ${from} ${to}`) ?? 0
    this.#world.at(Math.max(now + delay, free), label, arrive)
    return true
  }
}
