import type { Instant } from '../env.ts'
import type { CapacityJudged, FacilityEvent, HoldCleared, HoldSet, PatientEvent } from '../events.ts'
import type { FacilityId, PatientKey } from '../ids.ts'
import { NOTICE_WAIT_DAYS_MIN } from '../limits.ts'
import { tokyoDate } from './calendar.ts'
import { chartsOf, type Charts } from './charts.ts'
import { noticesOf } from './notice-fold.ts'
import { stopFact } from './stops.ts'
import type { FacilityState, FilingFact, HoldReason, LocalDate, PatientState } from './state.ts'

type Typed<T extends PatientEvent['type']> = Extract<PatientEvent, { type: T }>

/**
 * The present state of one patient. `events` are in the order they were appended and may include those of other
 * charts: charts merged with certainty share notices, stops and holds; a doubtful merge holds.
 */
export function foldPatient(patient: PatientKey, events: readonly PatientEvent[]): PatientState {
  const charts = chartsOf(patient, events)
  const own = events.filter((event) => charts.same.has(event.patient))
  const seen = of(own, 'patient-seen')
  const birthDates = latestPerChart(seen, (event) => event.birthDate)
  const [birthDate = null] = birthDates
  const oneBirthDate = birthDates.every((date) => date === birthDate) ? birthDate : null
  const deaths = [
    ...latestPerChart(seen, (event) => event.deceasedOn),
    ...latestPerChart(of(own, 'death-recorded'), (event) => event.deceasedOn),
  ]
  const deceasedOn = deaths.toSorted()[0] ?? null
  const deathReviewedAt = deceasedOn === null ? undefined : deathReview(own, deceasedOn)
  const words = {
    undos: of(own, 'stop-undone'),
    withdrawals: of(own, 'stop-withdrawn'),
    confirmations: of(own, 'stop-confirmed'),
    dismissals: of(own, 'stop-dismissed'),
  }
  return {
    patient,
    birthDate: oneBirthDate,
    deceasedOn,
    ...(deathReviewedAt === undefined ? {} : { deathReviewedAt }),
    ...capacityOf(of(own, 'capacity-judged')),
    notices: noticesOf(own),
    stops: firstById(of(own, 'stop-asked'), (event) => event.stop).map((asked) =>
      stopFact(asked, words, oneBirthDate),
    ),
    holds: holdsOf(
      own,
      charts,
      birthDates.some((date) => date !== birthDate),
    ),
    handles: [...new Set(of(own, 'notice-given').flatMap((event) => event.handle ?? []))],
  }
}

function of<T extends PatientEvent['type']>(events: readonly PatientEvent[], type: T): Typed<T>[] {
  return events.filter((event): event is Typed<T> => event.type === type)
}

function firstById<E>(events: readonly E[], idOf: (event: E) => string): E[] {
  const first = new Map<string, E>()
  for (const event of events) if (!first.has(idOf(event))) first.set(idOf(event), event)
  return [...first.values()]
}

/** What each chart said last, charts that say nothing left out. */
function latestPerChart<E extends { patient: PatientKey }>(
  seen: readonly E[],
  valueOf: (event: E) => LocalDate | null,
): LocalDate[] {
  const latest = new Map<PatientKey, LocalDate | null>()
  for (const event of seen) latest.set(event.patient, valueOf(event))
  return [...latest.values()].filter((value) => value !== null)
}

/** Nobody judged: able. Able again after unable: from then on an own notice is due. */
function capacityOf(
  judged: readonly CapacityJudged[],
): Pick<PatientState, 'capacity' | 'capacityReturnedAt'> {
  let capacity: PatientState['capacity'] = 'able'
  let returnedAt: Instant | null = null
  for (const { capacity: now, recordedAt } of judged) {
    if (now !== 'able' && now !== 'unable') capacity = 'unknown'
    else {
      if (now === 'able' && capacity !== 'able') returnedAt = recordedAt
      capacity = now
    }
  }
  return { capacity, capacityReturnedAt: returnedAt }
}

function holdsOf(own: readonly PatientEvent[], charts: Charts, birthDatesDiffer: boolean): HoldReason[] {
  const holds = new Set<HoldReason>()
  for (const chart of charts.same) {
    const standing = new Set<HoldReason>()
    for (const event of own) {
      if (event.patient !== chart) continue
      if (event.type === 'hold-set') standing.add(event.reason)
      if (event.type === 'hold-cleared') standing.delete(event.reason)
    }
    for (const reason of standing) holds.add(reason)
  }
  if (charts.doubtful.size > 0) holds.add('merge')
  if (birthDatesDiffer) holds.add('identity')
  return [...holds]
}

/** Cleared after the death, and not set again since. */
function deathReview(own: readonly PatientEvent[], deceasedOn: LocalDate): Instant | undefined {
  const last = own.findLast(
    (event): event is HoldSet | HoldCleared =>
      (event.type === 'hold-set' || event.type === 'hold-cleared') && event.reason === 'death-review',
  )
  if (last?.type !== 'hold-cleared' || tokyoDate(last.recordedAt) < deceasedOn) return undefined
  return last.recordedAt
}

/** The present state of one facility, or `null` before its legal person is recorded. The first text of a version stays. */
export function foldFacility(facility: FacilityId, events: readonly FacilityEvent[]): FacilityState | null {
  const state: Omit<FacilityState, 'entity'> & { entity: FacilityState['entity'] | null } = {
    facility,
    entity: null,
    templates: [],
    filings: [],
    waitDays: NOTICE_WAIT_DAYS_MIN,
    deathPolicy: 'hold',
    closedDays: [],
    endedOn: null,
  }
  for (const event of events) {
    if (event.type === 'entity-recorded') state.entity = event.entity
    if (event.type === 'template-published') {
      const { track, version } = event.template
      if (!state.templates.some((t) => t.track === track && t.version === version))
        state.templates.push(event.template)
    }
    if (event.type === 'filing-accepted') acceptFiling(state.filings, event.filing)
    if (event.type === 'filing-ended')
      state.filings = state.filings.map((f) => (f.filing === event.filing ? endedAt(f, event.endedOn) : f))
    if (event.type === 'facility-settings') {
      state.waitDays = event.waitDays
      state.deathPolicy = event.deathPolicy
      state.closedDays = event.closedDays
      state.endedOn = event.endedOn
    }
  }
  const { entity } = state
  return entity === null ? null : { ...state, entity }
}

function acceptFiling(filings: FilingFact[], filing: FilingFact): void {
  if (!filings.some((known) => known.filing === filing.filing)) filings.push(filing)
}

/** An end once recorded is never moved later. */
function endedAt(filing: FilingFact, endedOn: LocalDate): FilingFact {
  return {
    ...filing,
    endedOn: filing.endedOn !== null && filing.endedOn < endedOn ? filing.endedOn : endedOn,
  }
}
