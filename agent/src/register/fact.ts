import type { FacilityEvent } from '@kakehashi/protocol/events'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { declareNewWords } from './notice-declared.ts'
import { facilityStateOf } from './read.ts'
import { appendEvent } from './store.ts'

type WithoutHead<T> = T extends unknown ? Omit<T, 'event' | 'recordedAt' | 'by'> : never
export type Fact = WithoutHead<FacilityEvent>

/** Every fact about the facility is also declared to the vault, which checks evidence against it. */
export async function recordFact(context: AgentContext, act: string, by: string, fact: Fact): Promise<void> {
  await context.store.transact({ act, actor: by }, async (tx) => {
    await appendFact(tx, context, by, fact)
    const state = await facilityStateOf(tx, context.facility)
    await declareNewWords(tx, context, fact)
    if (!state) return
    await enqueueControl(tx, context, {
      type: 'facility-declared',
      facility: context.facility,
      entity: state.entity,
      templates: state.templates,
      filings: state.filings,
      endedOn: state.endedOn,
      waitDays: state.waitDays,
      deathPolicy: state.deathPolicy,
      closedDays: state.closedDays,
    })
  })
}

export async function appendFact(tx: AgentTx, context: AgentContext, by: string, fact: Fact): Promise<void> {
  const event = { ...fact, event: context.env.id(), recordedAt: context.env.now(), by } as FacilityEvent
  await appendEvent(tx, event)
}
