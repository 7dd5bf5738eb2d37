import type { PatientEvent } from '@kakehashi/protocol/events'
import { markToRead } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'
import { appendEvent } from './store.ts'

/**
 * Appends an event after which the gate may be open for what was kept back before: the patient is read again at the
 * next opportunity, and the gate decides then.
 */
export async function appendOpening(tx: AgentTx, event: PatientEvent): Promise<void> {
  await appendEvent(tx, event)
  await markToRead(tx, event.patient, event.recordedAt)
}
