import type { Instant } from '@kakehashi/protocol/env'
import { localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import { patientFacts } from './rules.ts'
import { keepPatient, type PatientsTx } from './store.ts'

export interface SeenPatient {
  patient: PatientKey
  birthDate: LocalDate | null
  deceasedOn: LocalDate | null
}

/**
 * A source showed a `Patient`: the index is brought up to date and the register is told what the gate depends on, in
 * the caller's transaction.
 */
export async function takePatient<T extends PatientsTx>(
  tx: T,
  shown: { patient: PatientKey; resource: unknown; source: string },
  now: Instant,
  notePatientSeen: (tx: T, seen: SeenPatient) => Promise<unknown>,
): Promise<void> {
  const { patient, resource, source } = shown
  const facts = patientFacts(resource, localNumberOf(patient), tokyoDate(now))
  await keepPatient(tx, patient, facts, source, now)
  await notePatientSeen(tx, { patient, birthDate: facts.birthDate, deceasedOn: facts.deceasedOn })
}
