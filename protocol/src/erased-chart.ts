import { createHmac } from 'node:crypto'
import type { PatientKey } from './ids.ts'

/**
 * How the vault still tells a hospital which of its charts were erased, when it can no longer name them itself: a hash
 * under a key of that facility alone. Without the key nobody can test a guess; with it, only the facility's own charts.
 */
export function erasedChartHash(facilityKey: Uint8Array, patient: PatientKey): string {
  return createHmac('sha256', facilityKey).update('kakehashi/erased-chart\0').update(patient).digest('hex')
}
