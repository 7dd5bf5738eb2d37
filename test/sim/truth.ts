import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey, StopHandle } from '@kakehashi/protocol/ids'
import { dateOf, dayNumber, opensOn } from './calendar.ts'
import { saysOneMonth, turns16, type Chart } from './cast.ts'

/** A paper that changed hands, at true time, whether or not anybody managed to record it. */
export interface Handed {
  to: 'person' | 'guardian'
  at: Instant
  /**
   * The latest the clerk's machine can have taken the time for. A clock that runs behind unnoticed dates a paper too
   * early, and nobody who has only this clock can tell; one known to run behind dates nothing at all.
   */
  readAs: Instant
  /** It is in the register, too. */
  recorded: boolean
  /** A clerk said it never counted (wrong patient, letter returned, visit cancelled). */
  voidAskedAt: Instant | null
  voidedAt: Instant | null
}

export interface Stopped {
  where: 'counter' | 'portal'
  /** Of the paper it was asked with at the portal. */
  handle: StopHandle | null
  by: 'person' | 'guardian'
  askedAt: Instant
  /** The page or the answer was shown: from now on it is promised. */
  shownAt: Instant | null
  /** Somebody asked to take it back: from then on nothing is promised. */
  withdrawnAt: Instant | null
}

/** What happened to one chart in the world, whatever the programs wrote down. */
export class ChartTruth {
  readonly chart: Chart
  readonly handed: Handed[] = []
  readonly stops: Stopped[] = []
  /** Charts known to be the same person, from when. */
  readonly same: { other: ChartTruth; askedAt: Instant; since: Instant }[] = []
  /** Somebody came to the counter to take a stop back. */
  withdrawalAsked = false
  heldSince: Instant | null = null
  everHeld = false
  erasureAskedAt: Instant | null = null
  erasureShownAt: Instant | null = null
  /** A stop was taken back then: only a paper handed over later counts. */
  afreshFrom: Instant = Number.NEGATIVE_INFINITY
  /** When bytes about this chart last left the hospital. */
  leftAt: Instant | null = null

  constructor(chart: Chart) {
    this.chart = chart
  }

  /** Promised to be stopped at `at`, on this chart or one merged with it. */
  stoppedAt(at: Instant, meant: (stop: Stopped) => boolean): Stopped | null {
    const charts = [
      { truth: this as ChartTruth, since: 0 },
      ...this.same.map((s) => ({ truth: s.other, since: s.since })),
    ]
    for (const { truth, since } of charts) {
      if (at <= since) continue
      const stop = truth.stops.find(
        (s) =>
          meant(s) && s.shownAt !== null && s.shownAt < at && (s.withdrawnAt === null || s.withdrawnAt > at),
      )
      if (stop) return stop
    }
    return null
  }

  heldAt(at: Instant): boolean {
    return this.heldSince !== null && this.heldSince < at
  }

  /** Why nothing about this chart may be outside the hospital at `at`, or `null`. */
  mustStay(at: Instant, slack: number): string | null {
    const { chart } = this
    const today = dayNumber(at + slack)
    const born = [chart, ...this.same.map((s) => s.other.chart)].find((c) => turns16(c) !== null)
    if (!born) return 'the age is unknown'
    const sixteen = turns16(born)!
    const minor = today < sixteen
    const papers = [this as ChartTruth, ...this.same.map((s) => s.other)].flatMap((t) => t.handed)
    for (const to of minor ? (['guardian', 'person'] as const) : (['person'] as const)) {
      const why = this.#notLongAgo(
        papers.filter((h) => h.to === to && (minor || dayNumber(h.readAs) >= sixteen)),
        to,
        { at, today, slack },
      )
      if (why !== null) return why
    }
    return null
  }

  #notLongAgo(
    papers: readonly Handed[],
    to: Handed['to'],
    { at, today, slack }: { at: Instant; today: number; slack: number },
  ): string | null {
    const { chart } = this
    const counting = papers.filter((h) => (h.voidedAt === null || h.voidedAt > at) && h.at > this.afreshFrom)
    if (counting.length === 0) return `no ${to} was notified`
    const alive = counting.filter((h) => chart.diedAt === null || h.at <= chart.diedAt)
    if (alive.length === 0) return 'the person died before the notice'
    const opens = Math.min(
      ...alive.map((h) => opensOn(dayNumber(Math.min(h.at, h.readAs) - slack), saysOneMonth(chart.facility))),
    )
    return today < opens ? `the wait ends on ${dateOf(opens)}, today is ${dateOf(today)}` : null
  }

  /**
   * Every condition was met long ago and nothing ever spoke against it: the records must arrive in the end. Two days
   * more than the wait: a clerk's machine may have dated the notice by a wrong clock.
   */
  surelyEligible(at: Instant): boolean {
    const { chart } = this
    if (chart.diedAt !== null || this.everHeld || this.erasureAskedAt !== null) return false
    if (this.stops.length > 0 || this.same.length > 0) return false
    if (this.handed.some((h) => h.voidAskedAt !== null)) return false
    const sixteen = turns16(chart)
    if (sixteen === null) return false
    const day = dayNumber(at)
    const old = (to: Handed['to'], notBefore: number): boolean =>
      this.handed.some(
        (h) =>
          h.recorded &&
          h.to === to &&
          dayNumber(h.at) >= notBefore &&
          opensOn(dayNumber(h.at) + 2, saysOneMonth(chart.facility)) <= day,
      )
    if (sixteen <= day) return old('person', sixteen)
    return old('person', 0) && old('guardian', 0)
  }
}

export class Truth {
  readonly charts = new Map<PatientKey, ChartTruth>()

  add(chart: Chart): ChartTruth {
    const truth = new ChartTruth(chart)
    this.charts.set(chart.patient, truth)
    return truth
  }

  of(patient: PatientKey): ChartTruth {
    const truth = this.charts.get(patient)
    if (!truth) throw new Error('a patient the world does not know')
    return truth
  }
}
