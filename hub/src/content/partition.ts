import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import type { RecordKey } from '@kakehashi/protocol/records'
import { sha256, sha256Hex } from '@kakehashi/protocol/signing'

export const PARTITIONS = 16

/** By the hospital patient key, so that relinking moves nothing and one person's charts erase apart. */
export function partitionOf(patient: PatientKey | FacilityId): number {
  return (sha256('kakehashi/partition\0', patient)[0] ?? 0) % PARTITIONS
}

/** 128 bits that stand for one record of one facility. */
export function recordHash(facility: FacilityId, key: RecordKey): string {
  return sha256Hex(`${facility}\0${key.source}\0${key.type}\0${key.id}`).slice(0, 32)
}

/** Whose row it is: the first patient, or the facility when the record is about nobody (a drug, a ward). */
export function ownerOf(facility: FacilityId, patients: readonly PatientKey[]): PatientKey | FacilityId {
  return patients[0] ?? facility
}

export function isPatient(owner: PatientKey | FacilityId): owner is PatientKey {
  return owner.includes('/')
}
