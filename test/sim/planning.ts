import { midnight, DAY, dayNumberOf } from './calendar.ts'
import { chart, type Chart, type Span } from './cast.ts'
import { FACILITIES } from './genesis.ts'
import { planActs, planFaults, type Plan } from './plan.ts'
import { Prng } from './prng.ts'
import { openingsOf, planRounds } from './tides.ts'

/** Closed days lengthen waits: little in June, a week around Golden Week and the New Year. */
const SEASONS = [
  { start: '2027-06-01', days: 41 },
  { start: '2027-03-24', days: 44 },
  { start: '2026-11-28', days: 46 },
].map(({ start, days }) => ({ start: midnight(dayNumberOf(start)), days }))
const CHARTS_PER_HOSPITAL = 4

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
  const { start, days } = SEASONS[seed % SEASONS.length]!
  const span: Span = { start, calm: start + days * DAY }
  const charts = FACILITIES.flatMap((facility) => chartsOf(facility, span, random.fork(`charts/${facility}`)))
  const acts = planActs(charts, span, random.fork('people'))
  const openings = openingsOf(acts, span)
  return {
    span,
    charts,
    acts,
    rounds: planRounds(openings, span, random.fork('rounds')),
    faults: planFaults(HOSTS, LINKS, FACILITIES, span, { acts, openings }, random.fork('faults')),
  }
}

/** The fourth chart of some hospitals is a second one of the same person. */
function chartsOf(facility: Chart['facility'], span: Span, random: Prng): Chart[] {
  const charts = Array.from({ length: CHARTS_PER_HOSPITAL }, (_, i) =>
    chart(facility, i, span, random.fork(String(i))),
  )
  if (random.chance(0.4)) {
    const [first, , , fourth] = charts
    const { kind, birthDate, family, kana, given, givenKana, sex } = first!
    charts[3] = { ...fourth!, kind, birthDate, diedAt: null, family, kana, given, givenKana, sex }
  }
  return charts
}
