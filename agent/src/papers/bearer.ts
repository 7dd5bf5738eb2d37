import type { PatientKey, StopHandle } from '@kakehashi/protocol/ids'
import { patientOfHandle, type RegisterReader } from '../register/read.ts'
import { patientOfPaper, type PaperReader } from './store.ts'

/** Whose paper bears the token of this handle: one that was handed over, or one that lies ready for them. */
export async function bearerOf(
  db: RegisterReader & PaperReader,
  handle: StopHandle,
): Promise<PatientKey | null> {
  return (await patientOfHandle(db, handle)) ?? (await patientOfPaper(db, handle))
}
