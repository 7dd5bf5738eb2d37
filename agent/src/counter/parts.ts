import type { PatientKey } from '@kakehashi/protocol/ids'
import type { AgentContext } from '../context.ts'
import type { DryRun } from '../gate/dry-run.ts'
import type { Address } from '../papers/address.ts'
import type { Found } from '../patients/search.ts'
import type { IndexedPatient } from '../patients/store.ts'
import type { Register } from '../register/register.ts'
import type { Session } from './session.ts'
import type { StaffDirectory } from './staff.ts'

export interface PatientFinder {
  search(typed: string, limit: number): Promise<Found>
  read(patient: PatientKey): Promise<IndexedPatient | null>
  readAll(patients: readonly PatientKey[]): Promise<Map<PatientKey, IndexedPatient>>
  hasNamesake(person: IndexedPatient): Promise<boolean>
}

export interface CounterSettings {
  facilityName: string
  /** Served over TLS: cookies are `__Host-` and Secure. */
  https: boolean
  /** `https://…` of the operator's portal, printed with the token on notice papers. */
  portalAddress: string | null
  operatorPhone: string | null
  /** The exact text of a published template, found by its hash. */
  noticeText(hash: string): string | null
}

export interface CounterParts {
  context: AgentContext
  register: Register
  settings: CounterSettings
  people: PatientFinder
  staff: StaffDirectory
  /** Whether the hub was reached lately. */
  online(): boolean
  /** Where letters go, read afresh for one letter. Absent: no letters from here. */
  addressOf?(patient: PatientKey): Promise<Address | null>
  /** Counts what would be sent, from the sources. Absent: not from here. */
  dryRun?(): Promise<DryRun>
}

export interface CounterEnv {
  Variables: { session: Session; person: IndexedPatient }
}

/** The legal person stands under the paper: Art. 52 names name, address and representative. */
export function hospitalLines(
  facilityName: string,
  entity: { name: string; address: string; representative: string } | null,
): string[] {
  return entity ? [facilityName, entity.name, entity.address, entity.representative] : [facilityName]
}
