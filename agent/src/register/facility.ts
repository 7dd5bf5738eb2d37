import type { FacilityEvent } from '@kakehashi/protocol/events'
import type { FilingId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { EntityFacts, FilingFact, LocalDate, TemplateFact } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { enqueueControl } from '../uplink/store.ts'
import { facilityStateOf } from './read.ts'
import { appendEvent } from './store.ts'

type WithoutHead<T> = T extends unknown ? Omit<T, 'event' | 'recordedAt' | 'by'> : never

/** Every fact about the facility is also declared to the vault, which checks evidence against it. */
async function recordFact(
  context: AgentContext,
  act: string,
  by: string,
  fact: WithoutHead<FacilityEvent>,
): Promise<void> {
  await context.store.transact({ act, actor: by }, async (tx) => {
    const event = { ...fact, event: context.env.id(), recordedAt: context.env.now(), by } as FacilityEvent
    await appendEvent(tx, event)
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
  })
}

export async function recordEntity(
  context: AgentContext,
  asked: { entity: EntityFacts; by: string },
): Promise<void> {
  const { name, address, representative } = asked.entity
  if (!name || !address || !representative) throw new Refused('REQUEST_MALFORMED', 'entity')
  await recordFact(context, 'entity.recorded', asked.by, { type: 'entity-recorded', entity: asked.entity })
}

/** A published text never changes: another text is another version. */
export async function publishTemplate(
  context: AgentContext,
  asked: { template: TemplateFact; by: string },
): Promise<void> {
  const { template } = asked
  const state = await facilityStateOf(context.store.db, context.facility)
  const newest = Math.max(
    0,
    ...(state?.templates ?? []).filter((t) => t.track === template.track).map((t) => t.version),
  )
  if (template.version <= newest || template.items.length === 0 || template.operators.length === 0)
    throw new Refused('REQUEST_MALFORMED', 'template')
  await recordFact(context, 'template.published', asked.by, { type: 'template-published', template })
}

export async function acceptFiling(
  context: AgentContext,
  asked: { filing: FilingFact; by: string },
): Promise<void> {
  await recordFact(context, 'filing.accepted', asked.by, { type: 'filing-accepted', filing: asked.filing })
}

export async function endFiling(
  context: AgentContext,
  asked: { filing: FilingId; endedOn: LocalDate; by: string },
): Promise<void> {
  const { by, ...fact } = asked
  await recordFact(context, 'filing.ended', by, { type: 'filing-ended', ...fact })
}

export async function setFacility(
  context: AgentContext,
  asked: {
    waitDays: number
    deathPolicy: 'hold' | 'allow'
    closedDays: LocalDate[]
    endedOn: LocalDate | null
    by: string
  },
): Promise<void> {
  const { by, ...fact } = asked
  await recordFact(context, 'facility.set', by, { type: 'facility-settings', ...fact })
}
