import type { Agent } from '@kakehashi/agent/agent'
import { eventsOf, patientStateOf } from '@kakehashi/agent/register/read'
import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import { facilityOf } from '@kakehashi/protocol/ids'
import { handleOf } from '@kakehashi/protocol/stop-handle'
import { Refused } from '@kakehashi/protocol/refusals'
import { DAY, HOUR, MINUTE } from './calendar.ts'
import { Dead, type Host } from './host.ts'
import type { Act } from './plan.ts'
import type { Prng } from './prng.ts'
import type { ChartTruth, Stopped, Truth } from './truth.ts'
import type { World } from './world.ts'

const PATIENCE = 5 * DAY
/** They come again soon, and then less and less often. */
const RETRY = 20 * MINUTE
const RETRY_MAX = 6 * HOUR

/** The counter of one hospital: the register's verbs while its agent is up. */
export interface Counter {
  host: Host
  agent(): Agent | null
}

/** A patient's browser at the portal. True: the page that says the stop is in force was shown. */
export type PortalStop = (token: string, erase: boolean) => Promise<boolean>

/** What a clerk sees when the machine could not write. */
function isTrouble(error: unknown): boolean {
  if (error instanceof Dead || error instanceof Refused) return true
  const code = error instanceof Error && 'errcode' in error ? error.errcode : null
  return code === 13 || code === 10
}

/** Clerks and patients: they do what the plan says, and come again when the machine was down. */
export class People {
  readonly #world: World
  readonly #truth: Truth
  readonly #counters: ReadonlyMap<FacilityId, Counter>
  readonly #portal: PortalStop
  readonly #random: Prng
  readonly #recorded: (facility: FacilityId) => void
  readonly #stopShown: (patient: PatientKey, erase: boolean) => void
  readonly #offline: (facility: FacilityId) => boolean
  readonly #tokens = new Map<PatientKey, string[]>()

  constructor(
    world: World,
    truth: Truth,
    counters: ReadonlyMap<FacilityId, Counter>,
    portal: PortalStop,
    random: Prng,
    told: {
      recorded: (facility: FacilityId) => void
      stopShown: (patient: PatientKey, erase: boolean) => void
      offline: (facility: FacilityId) => boolean
    },
  ) {
    this.#recorded = told.recorded
    this.#offline = told.offline
    this.#stopShown = told.stopShown
    this.#random = random
    this.#world = world
    this.#truth = truth
    this.#counters = counters
    this.#portal = portal
  }

  plan(acts: readonly Act[]): void {
    for (const act of acts) this.#at(act, act.at)
  }

  /** Somebody whose records are leaving at this moment says no: rare in life, frequent here. */
  pounce(patients: readonly PatientKey[]): void {
    if (patients.length === 0 || !this.#random.chance(0.2)) return
    const patient = this.#random.pick(patients)
    const at = this.#world.now + Math.floor(this.#random.exponential(this.#random.pick([100, 20_000, HOUR])))
    const erase = this.#random.chance(0.3)
    if (this.#random.chance(0.7)) return this.#at({ at, kind: 'stop', patient, erase, twice: false }, at)
    // with a paper just handed out, which the hub has never seen
    if (this.#random.chance(0.4))
      this.#at({ at, kind: 'notice', patient, to: 'person', twice: false }, at - MINUTE)
    this.#at({ at, kind: 'portal-stop', patient, erase }, at)
  }

  #at(act: Act, when: number, again = RETRY): void {
    this.#world.at(when, `${act.kind} ${act.patient}`, () => this.#try(act, again))
  }

  async #try(act: Act, again: number): Promise<void> {
    if (await this.#perform(act)) return
    const next = this.#world.now + again
    if (next < act.at + PATIENCE) this.#at(act, next, Math.min(RETRY_MAX, 2 * again))
  }

  async #perform(act: Act): Promise<boolean> {
    const truth = this.#truth.of(act.patient)
    if (act.kind === 'portal-stop') return this.#stopAtPortal(act, truth)
    const counter = this.#counters.get(facilityOf(act.patient))
    const agent = counter?.host.up ? counter.agent() : null
    if (!counter || !agent) return false
    try {
      await this.#atCounter(act, truth, agent, counter)
      if (act.kind !== 'notice') this.#recorded(facilityOf(act.patient))
      return true
    } catch (error) {
      if (isTrouble(error)) return false
      throw error
    }
  }

  #atCounter(
    act: Exclude<Act, { kind: 'portal-stop' }>,
    truth: ChartTruth,
    agent: Agent,
    counter: Counter,
  ): Promise<unknown> {
    switch (act.kind) {
      case 'notice':
        return this.#notify(act, truth, agent, counter.host)
      case 'void-notice':
        return this.#void(act, truth, agent)
      case 'stop':
        return this.#stop(act, truth, agent)
      case 'withdraw':
        return this.#withdraw(act, truth, agent)
      case 'hold':
        return this.#hold(act, truth, agent)
      case 'clear-hold':
        truth.heldSince = null
        return agent.register.clearHold({ patient: act.patient, reason: 'other', by: 'clerk-2' })
      case 'merge':
        return this.#merge(act, truth, agent)
    }
  }

  async #notify(
    act: Extract<Act, { kind: 'notice' }>,
    truth: ChartTruth,
    agent: Agent,
    host: Host,
  ): Promise<void> {
    if (truth.chart.diedAt !== null && truth.chart.diedAt < this.#world.now && act.to === 'person') return
    const { now } = this.#world
    const { behind } = host
    if (behind) this.#world.saw('notice while the clock is known to run behind')
    const paper = {
      to: act.to,
      at: now,
      readAs: behind ? now : host.latest(),
      recorded: false,
      voidAskedAt: null,
      voidedAt: null,
    }
    truth.handed.push(paper)
    const asked = { patient: act.patient, by: 'clerk-1', recipients: [act.to], withToken: true } as const
    const [first] = await Promise.all([
      agent.register.recordNotice(asked),
      ...(act.twice ? [agent.register.recordNotice(asked)] : []),
    ])
    paper.recorded = true
    if (behind) this.#world.violate('S11', 'a hand-over was dated by a clock known to run behind')
    if (first.token) this.#tokens.set(act.patient, [...(this.#tokens.get(act.patient) ?? []), first.token])
  }

  async #void(act: Act, truth: ChartTruth, agent: Agent): Promise<void> {
    const events = await eventsOf(agent.context.store.db, [act.patient])
    const papers = truth.handed.filter((h) => h.voidedAt === null)
    for (const paper of papers) paper.voidAskedAt ??= this.#world.now
    if (truth.leftAt !== null) this.#world.saw('notice voided after sending')
    for (const event of events)
      if (event.type === 'notice-given')
        await agent.register.voidNotice({ notice: event.notice, by: 'clerk-2', reason: 'wrong-patient' })
    for (const paper of papers) paper.voidedAt = this.#world.now
  }

  async #stop(act: Extract<Act, { kind: 'stop' }>, truth: ChartTruth, agent: Agent): Promise<void> {
    const stop: Stopped = {
      where: 'counter',
      handle: null,
      by: act.requester ?? 'person',
      askedAt: this.#world.now,
      shownAt: null,
      withdrawnAt: null,
    }
    truth.stops.push(stop)
    if (act.erase) truth.erasureAskedAt ??= this.#world.now
    if (truth.handed.length === 0) this.#world.saw('stop before notice')
    if (truth.stops.some((s) => s.where === 'portal' && this.#world.now - s.askedAt < 60 * MINUTE))
      this.#world.saw('stop at counter and portal within an hour')
    if (truth.stops.some((s) => s.where === 'portal' && this.#world.now - s.askedAt < MINUTE))
      this.#world.saw('stop at counter and portal in the same minute')
    const asked = { patient: act.patient, by: 'clerk-1', erasureAsked: act.erase, requester: stop.by }
    await Promise.all([
      agent.register.recordStop(asked),
      ...(act.twice ? [agent.register.recordStop(asked)] : []),
    ])
    stop.shownAt = this.#world.now
    this.#stopShown(act.patient, act.erase)
    if (act.erase) truth.erasureShownAt ??= this.#world.now
    if (act.twice) this.#world.saw('second stop repeated')
    if (this.#offline(facilityOf(act.patient))) this.#world.saw('stop while the agent is offline')
    if (stop.by === 'person' && truth.stops.some((s) => s.by === 'guardian' && s.shownAt !== null))
      this.#world.saw('stop by a guardian and then by the child')
  }

  async #withdraw(act: Act, truth: ChartTruth, agent: Agent): Promise<void> {
    const state = await patientStateOf(agent.context.store.db, act.patient)
    const standing = state.stops.filter((s) => s.standing === 'confirmed' || s.standing === 'provisional')
    if (standing.length === 0) return
    truth.withdrawalAsked = true
    for (const stop of truth.stops) stop.withdrawnAt ??= this.#world.now
    for (const { stop, requester } of standing)
      await agent.register.withdrawStop({ stop, by: 'clerk-1', requester })
    truth.afreshFrom = this.#world.now
  }

  async #hold(act: Act, truth: ChartTruth, agent: Agent): Promise<void> {
    truth.everHeld = true
    await agent.register.setHold({ patient: act.patient, reason: 'other', by: 'clerk-2' })
    truth.heldSince = this.#world.now
  }

  async #merge(act: Extract<Act, { kind: 'merge' }>, truth: ChartTruth, agent: Agent): Promise<void> {
    const other = this.#truth.of(act.other)
    const { now } = this.#world
    const one = { other, askedAt: now, since: Number.POSITIVE_INFINITY }
    const two = { other: truth, askedAt: now, since: Number.POSITIVE_INFINITY }
    truth.same.push(one)
    other.same.push(two)
    await agent.register.mergeCharts({ patient: act.patient, other: act.other, certain: true, by: 'clerk-2' })
    if (truth.stops.length + other.stops.length > 0) this.#world.saw('merge of a stopped chart')
    one.since = this.#world.now
    two.since = this.#world.now
  }

  async #stopAtPortal(act: Extract<Act, { kind: 'portal-stop' }>, truth: ChartTruth): Promise<boolean> {
    const token = this.#tokens.get(act.patient)?.at(-1)
    if (token === undefined) return true
    const stop: Stopped = {
      where: 'portal',
      handle: handleOf(token),
      by: 'person',
      askedAt: this.#world.now,
      shownAt: null,
      withdrawnAt: null,
    }
    truth.stops.push(stop)
    if (act.erase) truth.erasureAskedAt ??= this.#world.now
    if (!(await this.#portal(token, act.erase))) return false
    stop.shownAt = this.#world.now
    if (this.#offline(facilityOf(act.patient))) this.#world.saw('stop while the agent is offline')
    if (act.erase) truth.erasureShownAt ??= this.#world.now
    return true
  }
}
