import { midnight, DAY, dayNumberOf } from './calendar.ts'
import { chart, type Chart, type Span } from './cast.ts'
import { FACILITIES } from './genesis.ts'
import { planActs, planFaults, type Plan } from './plan.ts'
import { Prng } from './prng.ts'

/** Spring with Golden Week, and the turn of the year: closed days lengthen waits. */
const STARTS = ['2027-03-20', '2026-11-20', '2027-06-01'].map((date) => midnight(dayNumberOf(date)))
const CHARTS_PER_HOSPITAL = 6
const DAYS = 46

export const HOSTS = ['gateway', 'portal', 'vault', ...FACILITIES] as const
export const LINKS: readonly [string, string][] = [
  ['hospital-a', 'gateway'],
  ['hospital-b', 'gateway'],
  ['vault', 'gateway'],
  ['vault', 'portal'],
]

/** Everything of a seed that is decided beforehand. */
export function planOf(seed: number): Plan {
  const random = new Prng(`seed/${seed}`)
  const start = STARTS[seed % STARTS.length]!
  const span: Span = { start, calm: start + DAYS * DAY }
  const charts = FACILITIES.flatMap((facility) => chartsOf(facility, span, random.fork(`charts/${facility}`)))
  return {
    span,
    charts,
    acts: planActs(charts, span, random.fork('people')),
    faults: planFaults(HOSTS, LINKS, FACILITIES, span, random.fork('faults')),
  }
}

/** The third chart of some hospitals is a second one of the same person. */
function chartsOf(facility: Chart['facility'], span: Span, random: Prng): Chart[] {
  const charts = Array.from({ length: CHARTS_PER_HOSPITAL }, (_, i) =>
    chart(facility, i, span, random.fork(String(i))),
  )
  if (random.chance(0.4)) {
    const [first, , third] = charts
    const { kind, birthDate, family, kana, given, givenKana, sex } = first!
    charts[2] = { ...third!, kind, birthDate, diedAt: null, family, kana, given, givenKana, sex }
  }
  return charts
}
