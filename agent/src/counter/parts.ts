import type { PatientKey, Personal } from '@kakehashi/protocol/ids'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import type { Session } from './session.ts'
import type { StaffMember } from './staff.ts'

/** One person of the patient index, as the counter needs to see them. */
export interface CounterPerson {
  patient: PatientKey
  number: string
  kana: Personal
  kanji: Personal
  birthDate: LocalDate | null
  sex: 'male' | 'female' | 'other' | 'unknown'
  deceasedOn: LocalDate | null
}

export interface Found {
  people: CounterPerson[]
  /** The typed number is exactly this one person's: opened at once. */
  exact: boolean
  /** There were more than fit. */
  more: boolean
}

export interface PatientFinder {
  search(typed: string, limit: number): Promise<Found>
  read(patient: PatientKey): Promise<CounterPerson | null>
}

export interface CounterSettings {
  facilityName: string
  /** Served over TLS: cookies are `__Host-` and Secure. */
  https: boolean
  staff: readonly StaffMember[]
  /** `https://…` of the operator's portal, printed with the token on notice papers. */
  portalAddress: string | null
  operatorPhone: string | null
  /** The exact text of a published template, found by its hash. */
  noticeText(hash: string): string | null
}

export interface CounterParts {
  context: AgentContext
  settings: CounterSettings
  people: PatientFinder
  /** Whether the hub was reached lately. */
  online(): boolean
}

export interface CounterEnv {
  Variables: { session: Session; person: CounterPerson }
}

/** The legal person stands under the paper: Art. 52 names name, address and representative. */
export function hospitalLines(
  facilityName: string,
  entity: { name: string; address: string; representative: string } | null,
): string[] {
  return entity ? [facilityName, entity.name, entity.address, entity.representative] : [facilityName]
}
