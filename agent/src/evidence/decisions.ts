import type { FacilityEvent, PatientEvent } from '@kakehashi/protocol/events'
import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import type { decide } from '@kakehashi/protocol/rules/decide'
import { foldFacility, foldPatient } from '@kakehashi/protocol/rules/fold'
import type { RuleFile } from '@kakehashi/protocol/rules/rule-file'
import type { GateState, ItemClass } from '@kakehashi/protocol/rules/state'
import type { DecisionLine } from './shape.ts'

/**
 * The gate's answers out of events and a rule file, as of a moment: the same for who makes a package and who verifies
 * it. `null`: the facility's own facts were not recorded by then.
 */
export function answersAt(
  asked: Omit<DecisionLine, 'answers'>,
  items: readonly ItemClass[],
  known: {
    facility: FacilityId
    facilityEvents: readonly FacilityEvent[]
    patientEvents: readonly PatientEvent[]
    rules: RuleFile
    decide: typeof decide
  },
): DecisionLine['answers'] | null {
  const before = <E extends { recordedAt: number }>(events: readonly E[]) =>
    events.filter((event) => event.recordedAt <= asked.at)
  const facility = foldFacility(known.facility, before(known.facilityEvents))
  if (facility === null) return null
  const state: GateState = {
    facility,
    operator: asked.operator,
    latestSeen: asked.at,
    patient: foldPatient(asked.patient, before(known.patientEvents)),
  }
  return items.map((item) => ({
    item,
    answer: known.decide(state, { track: asked.track, item }, known.rules, asked.at),
  }))
}

/** Charts linked by merges, however long ago: their events are needed to fold any of them. */
export function linkedWith(
  patient: PatientKey,
  links: ReadonlyMap<PatientKey, readonly PatientKey[]>,
): PatientKey[] {
  const found = new Set([patient])
  for (const chart of found) for (const other of links.get(chart) ?? []) found.add(other)
  return [...found]
}
