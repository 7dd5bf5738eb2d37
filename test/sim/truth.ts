import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { dayNumber } from './calendar.ts'
import { turns16, type Chart } from './cast.ts'

/** A paper that changed hands, at true time, whether or not anybody managed to record it. */
export interface Handed {
  to: 'person' | 'guardian'
  at: Instant
  /** It is in the register, too. */
  recorded: boolean
  /** A clerk said it never counted (wrong patient, letter returned, visit cancelled). */
  voidAskedAt: Instant | null
  voidedAt: Instant | null
}

export interface Stopped {
  where: 'counter' | 'portal'
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
  heldSince: Instant | null = null
  everHeld = false
  erasureAskedAt: Instant | null = null
  erasureShownAt: Instant | null = null
  /** When bytes about this chart last left the hospital. */
  leftAt: Instant | null = null

  constructor(chart: Chart) {
    this.chart = chart
  }

  /** Promised to be stopped at `at`, on this chart or one merged with it. */
  stoppedAt(at: Instant, where?: Stopped['where']): Stopped | null {
    const charts = [
      { truth: this as ChartTruth, since: 0 },
      ...this.same.map((s) => ({ truth: s.other, since: s.since })),
    ]
    for (const { truth, since } of charts) {
      if (at <= since) continue
      const stop = truth.stops.find(
        (s) =>
          (where === undefined || s.where === where) &&
          s.shownAt !== null &&
          s.shownAt < at &&
          (s.withdrawnAt === null || s.withdrawnAt > at),
      )
      if (stop) return stop
    }
    return null
  }

  heldAt(at: Instant): boolean {
    return this.heldSince !== null && this.heldSince < at
  }

  /** Why nothing about this chart may be outside the hospital at `at`, or `null`. Only what the law makes certain. */
  mustStay(at: Instant, slack: number): string | null {
    const { chart } = this
    const today = dayNumber(at + slack)
    const born = [chart, ...this.same.map((s) => s.other.chart)].find((c) => turns16(c) !== null)
    if (!born) return 'the age is unknown'
    const papers = [this as ChartTruth, ...this.same.map((s) => s.other)].flatMap((t) => t.handed)
    const sixteen = turns16(born)!
    const to = today < sixteen ? 'guardian' : 'person'
    const counting = papers.filter(
      (h) =>
        h.to === to &&
        (h.voidedAt === null || h.voidedAt > at) &&
        (to === 'guardian' || dayNumber(h.at) >= sixteen),
    )
    if (counting.length === 0) return `no ${to} was notified`
    const alive = counting.filter((h) => chart.diedAt === null || h.at <= chart.diedAt)
    if (alive.length === 0) return 'the person died before the notice'
    const first = Math.min(...alive.map((h) => dayNumber(h.at)))
    return today < first + 31 ? `notified on day ${first}, today is ${today}` : null
  }

  /** Every condition was met long ago and nothing ever spoke against it: the records must arrive in the end. */
  surelyEligible(at: Instant, margin: number): boolean {
    const { chart } = this
    if (chart.diedAt !== null || this.everHeld || this.erasureAskedAt !== null) return false
    if (this.stops.length > 0 || this.same.length > 0) return false
    if (this.handed.some((h) => h.voidAskedAt !== null)) return false
    const sixteen = turns16(chart)
    if (sixteen === null) return false
    const day = dayNumber(at)
    const adult = sixteen <= dayNumber(at) - 31 - margin
    const old = (to: Handed['to'], notBefore: number): boolean =>
      this.handed.some(
        (h) =>
          h.recorded && h.to === to && dayNumber(h.at) >= notBefore && dayNumber(h.at) + 31 + margin <= day,
      )
    if (adult) return old('person', sixteen)
    return sixteen > day && old('person', 0) && old('guardian', 0)
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
