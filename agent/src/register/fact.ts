import type { FacilityEvent } from '@kakehashi/protocol/events'
import type { DeclarationKnown } from '@kakehashi/protocol/messages'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { declareAllWords, declareNewWords } from './notice-declared.ts'
import { facilityStateOf } from './read.ts'
import { appendEvent } from './store.ts'

type WithoutHead<T> = T extends unknown ? Omit<T, 'event' | 'recordedAt' | 'by'> : never
export type Fact = WithoutHead<FacilityEvent>

/** Every fact about the facility is also declared to the vault, which checks evidence against it. */
export async function recordFact(context: AgentContext, act: string, by: string, fact: Fact): Promise<void> {
  await context.store.transact({ act, actor: by }, async (tx) => {
    await appendFact(tx, context, by, fact)
    await declare(tx, context)
    await declareNewWords(tx, context, fact)
  })
}

async function declare(tx: AgentTx, context: AgentContext): Promise<void> {
  const state = await facilityStateOf(tx, context.facility)
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
}

/**
 * The vault's newest declaration is older than our last: it was put back from a backup and is told again. If it is newer,
 * this copy is the one put back: what it has forgotten must not be taken back at the vault, and staff enter it again.
 */
export async function declareAgain(
  tx: AgentTx,
  context: AgentContext,
  { declared }: DeclarationKnown,
): Promise<void> {
  const own = await tx
    .selectFrom('control_out')
    .select(['message', 'created_at', 'envelope'])
    .where('type', '=', 'facility-declared')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  await declareNewWords(tx, context)
  if (!own || own.envelope !== null || declared?.message === own.message) return
  if (declared !== null && declared.at >= own.created_at) return context.log('declaration.newer-at-hub')
  context.log('declaration.again')
  await declare(tx, context)
  await declareAllWords(tx, context)
}

export async function appendFact(tx: AgentTx, context: AgentContext, by: string, fact: Fact): Promise<void> {
  const event = { ...fact, event: context.env.id(), recordedAt: context.env.now(), by } as FacilityEvent
  await appendEvent(tx, event)
}
