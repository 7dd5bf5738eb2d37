import type { Instant } from '@kakehashi/protocol/env'
import { facilityOf, type FacilityId, type PatientKey } from '@kakehashi/protocol/ids'
import { DAY, HOUR, midnight, dayNumber, MINUTE } from './calendar.ts'
import { turns16, type Chart, type Span } from './cast.ts'
import type { Prng } from './prng.ts'
import { openingAfter, type Opening, type PlannedRound } from './tides.ts'

/** What a person does. The plan is a list so that a failing one can be shortened by leaving acts out. */
export type Act =
  | { at: Instant; kind: 'notice'; patient: PatientKey; to: 'person' | 'guardian'; twice: boolean }
  | { at: Instant; kind: 'void-notice'; patient: PatientKey }
  | {
      at: Instant
      kind: 'stop'
      patient: PatientKey
      erase: boolean
      twice: boolean
      requester?: 'person' | 'guardian'
    }
  | { at: Instant; kind: 'withdraw'; patient: PatientKey }
  | { at: Instant; kind: 'portal-stop'; patient: PatientKey; erase: boolean }
  | { at: Instant; kind: 'hold' | 'clear-hold'; patient: PatientKey }
  | { at: Instant; kind: 'merge'; patient: PatientKey; other: PatientKey }

/** What a machine or the weather does. */
export type Fault =
  | { at: Instant; kind: 'kill' | 'power-cut'; host: string; downMs: number }
  | { at: Instant; kind: 'fuse'; host: string; statements: number; power: boolean; downMs: number }
  | { at: Instant; kind: 'write-fails'; host: string; writes: number }
  | { at: Instant; kind: 'disk-full'; host: string; forMs: number }
  | { at: Instant; kind: 'partition' | 'clog'; from: string; to: string; forMs: number }
  | { at: Instant; kind: 'source-down'; facility: FacilityId; forMs: number }
  | { at: Instant; kind: 'gateway-lost'; downMs: number }
  | { at: Instant; kind: 'agent-restored'; facility: FacilityId; ageMs: number }
  | { at: Instant; kind: 'forged' }
  | { at: Instant; kind: 'clock-wrong'; host: string; byMs: number; forMs: number }

export interface Plan {
  span: Span
  charts: readonly Chart[]
  acts: readonly Act[]
  faults: readonly Fault[]
  rounds: readonly PlannedRound[]
}

/** Office hours of a day of the span. */
function visit(span: Span, day: number, random: Prng): Instant {
  return midnight(dayNumber(span.start) + day) + 8 * HOUR + random.below(16 * 60) * MINUTE
}

export function planActs(charts: readonly Chart[], span: Span, random: Prng): Act[] {
  const acts = charts.flatMap((chart) => actsOf(chart, span, random.fork(chart.patient)))
  const [first, second] = random.fork('merge').chance(0.4) ? sameHospital(charts, random.fork('merge')) : []
  if (first && second)
    acts.push({ at: within(span, random), kind: 'merge', patient: first.patient, other: second.patient })
  return acts.filter((act) => act.at < span.calm).toSorted((a, b) => a.at - b.at)
}

function sameHospital(charts: readonly Chart[], random: Prng): [Chart, Chart] | [] {
  const first = random.pick(charts)
  const others = charts.filter((c) => c.facility === first.facility && c.patient !== first.patient)
  return others.length === 0 ? [] : [first, random.pick(others)]
}

function within(span: Span, random: Prng): Instant {
  return span.start + Math.floor(random.unit() * (span.calm - span.start))
}

function actsOf(chart: Chart, span: Span, random: Prng): Act[] {
  const acts: Act[] = []
  if (chart.kind === 'never-notified')
    return random.chance(0.2) ? stopsOf(chart, span, span.start, random) : []
  const soon = chart.kind === 'turning-16' && random.chance(0.7)
  const day = soon ? random.between(0, 2) : random.chance(0.85) ? random.between(0, 5) : random.between(0, 40)
  const noticeAt = visit(span, day, random)
  const { patient } = chart
  const twice = (): boolean => random.chance(0.1)
  acts.push({ at: noticeAt, kind: 'notice', patient, to: 'person', twice: twice() })
  const sixteen = turns16(chart)
  const minor = sixteen !== null && sixteen > dayNumber(noticeAt)
  if (minor && (soon || random.chance(0.85))) {
    const later = !soon && random.chance(0.3) ? random.between(1, 20) * DAY : MINUTE
    acts.push({ at: noticeAt + later, kind: 'notice', patient, to: 'guardian', twice: twice() })
  }
  if (minor && sixteen <= dayNumber(span.calm) && random.chance(0.5))
    acts.push({
      at: midnight(sixteen) + random.between(1, 200) * HOUR,
      kind: 'notice',
      patient,
      to: 'person',
      twice: false,
    })
  if (random.chance(0.25))
    acts.push({
      at: noticeAt + random.between(1, 40) * DAY,
      kind: 'notice',
      patient,
      to: 'person',
      twice: false,
    })
  if (random.chance(0.12)) {
    const at = random.chance(0.3)
      ? noticeAt + random.between(1, 60 * 24 * 40) * MINUTE
      : openingAfter(chart.facility, noticeAt) + Math.floor(random.exponential(2 * DAY))
    acts.push({ at, kind: 'void-notice', patient })
  }
  if (random.chance(0.08)) {
    const at = noticeAt + random.between(1, 40) * DAY
    acts.push({ at, kind: 'hold', patient })
    if (random.chance(0.5)) acts.push({ at: at + random.between(1, 10) * DAY, kind: 'clear-hold', patient })
  }
  if (random.chance(0.5)) acts.push(...stopsOf(chart, span, noticeAt, random))
  return acts
}

/** Stops come at any time, but often just when sending begins, where they can meet a batch on its way. */
function stopsOf(chart: Chart, span: Span, noticeAt: Instant, random: Prng): Act[] {
  const { patient } = chart
  const opens = openingAfter(chart.facility, noticeAt)
  const at = random.chance(0.6)
    ? opens + Math.floor(random.exponential(random.pick([6 * HOUR, 2 * DAY])))
    : noticeAt + Math.floor(random.unit() * (span.calm - noticeAt))
  const erase = random.chance(0.3)
  const acts: Act[] = []
  const portal = random.chance(0.4)
  if (portal) acts.push({ at, kind: 'portal-stop', patient, erase })
  if (!portal || random.chance(0.2))
    acts.push({
      at: portal ? at + random.below(60_000) : at,
      kind: 'stop',
      patient,
      erase,
      twice: random.chance(0.15),
    })
  if (random.chance(0.25)) acts.push({ at: at + random.between(1, 200) * HOUR, kind: 'withdraw', patient })
  const sixteen = turns16(chart)
  const family = random.fork('family')
  if (sixteen !== null && dayNumber(at) < sixteen && family.chance(0.4)) {
    const first = { kind: 'stop', patient, erase: false, twice: false } as const
    acts.push({ ...first, at: at + family.below(12 * 60) * MINUTE, requester: 'guardian' })
    acts.push({ ...first, at: at + family.between(13, 24 * 20) * HOUR, requester: 'person' })
  }
  return acts
}

/** Which kinds of fault this seed has, and how many: each seed its own mixture. */
export function planFaults(
  hosts: readonly string[],
  links: readonly [string, string][],
  facilities: readonly FacilityId[],
  span: Span,
  { acts, openings }: { acts: readonly Act[]; openings: readonly Opening[] },
  random: Prng,
): Fault[] {
  const faults: Fault[] = []
  const notices = acts.filter((act) => act.kind === 'notice')
  const some = (kind: string, most: number, make: (random: Prng) => Fault): void => {
    const own = random.fork(kind)
    if (own.chance(0.4)) return
    const count = own.between(1, most + 1)
    for (let i = 0; i < count; i++) faults.push(make(own))
  }
  // The first weeks are waiting time: most faults belong where records move.
  const late: Span = { ...span, start: span.start + 0.68 * (span.calm - span.start) }
  const when = (r: Prng): Instant => within(r.chance(0.2) ? span : late, r)
  const down = (r: Prng): number => Math.floor(r.exponential(r.chance(0.2) ? 20 * HOUR : 10 * MINUTE))
  some('kill', 4, (r) => ({ at: when(r), kind: 'kill', host: r.pick(hosts), downMs: down(r) }))
  some('power-cut', 4, (r) => ({ at: when(r), kind: 'power-cut', host: r.pick(hosts), downMs: down(r) }))
  some('fuse', 8, (r) => ({
    at: when(r),
    kind: 'fuse',
    host: r.pick(hosts),
    statements: r.below(r.pick([20, 80, 400])),
    power: r.chance(0.5),
    downMs: down(r),
  }))
  some('write-fails', 3, (r) => ({
    at: when(r),
    kind: 'write-fails',
    host: r.pick(hosts),
    writes: r.below(30),
  }))
  some('disk-full', 2, (r) => ({
    at: when(r),
    kind: 'disk-full',
    host: r.pick(hosts),
    forMs: r.between(1, r.pick([12, 72])) * HOUR,
  }))
  some('partition', 3, (r) => partition('partition', r, links, when(r)))
  some('clog', 3, (r) => partition('clog', r, links, when(r)))
  some('source-down', 2, (r) => ({
    ...(openings.length > 0 && r.chance(0.5)
      ? soonBefore(r.pick(openings), r)
      : { facility: r.pick(facilities), at: when(r) }),
    kind: 'source-down',
    forMs: r.between(1, r.pick([24, 120])) * HOUR,
  }))
  some('clock-wrong', 2, (r) => wrongClock(r, hosts, when(r)))
  // a clerk writes down a hand-over by the clock of the machine
  some('clock-wrong-early', 3, (r) => {
    const given = notices.length > 0 && r.chance(0.7) ? r.pick(notices) : null
    if (!given) return wrongClock(r, facilities, span.start + r.below(6 * DAY))
    const at = given.at - r.between(5, 300) * MINUTE
    const byMs = -r.between(6, 27) * HOUR
    return { at, kind: 'clock-wrong', host: facilityOf(given.patient), byMs, forMs: r.between(6, 20) * HOUR }
  })
  some('gateway-lost', 1, (r) => ({
    at: Math.min(when(r), span.calm - 12 * HOUR),
    kind: 'gateway-lost',
    downMs: r.between(1, 90) * MINUTE,
  }))
  some('forged', 2, (r) => ({ at: when(r), kind: 'forged' }))
  const stops = acts.filter((act) => act.kind === 'stop' || act.kind === 'portal-stop')
  some('agent-restored', 1, (r) => {
    const taken = stops.length > 0 && r.chance(0.8) ? r.pick(stops) : null
    const since = r.between(1, 8) * HOUR
    const ageMs = since + r.between(1, 30) * HOUR
    return taken
      ? { at: taken.at + ageMs - since, kind: 'agent-restored', facility: facilityOf(taken.patient), ageMs }
      : { at: when(r), kind: 'agent-restored', facility: r.pick(facilities), ageMs }
  })
  return faults.filter(({ at }) => at < span.calm).toSorted((a, b) => a.at - b.at)
}

function soonBefore({ facility, at }: Opening, random: Prng): Opening {
  return { facility, at: at - Math.floor(random.unit() * 2 * HOUR) }
}

function wrongClock(random: Prng, hosts: readonly string[], at: Instant): Fault {
  const byMs = random.pick([-1, -1, 1]) * random.between(1, 26) * HOUR
  return {
    at,
    kind: 'clock-wrong',
    host: random.pick(hosts),
    byMs,
    forMs: random.between(1, random.pick([8, 40])) * HOUR,
  }
}

function partition(
  kind: 'partition' | 'clog',
  random: Prng,
  links: readonly [string, string][],
  at: Instant,
): Fault {
  const [a, b] = random.pick(links)
  const [from, to] = random.chance(0.5) ? [a, b] : [b, a]
  return { at, kind, from, to, forMs: random.between(1, random.pick([6, 24, 96])) * HOUR }
}
