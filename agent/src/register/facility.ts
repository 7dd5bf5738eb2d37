import type { FacilityId, FilingId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate } from '@kakehashi/protocol/rules/calendar'
import type { EntityFacts, FilingFact, LocalDate } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { recordFact } from './fact.ts'
import { facilityStateOf } from './read.ts'

export async function recordEntity(
  context: AgentContext,
  asked: { entity: EntityFacts; by: string },
): Promise<void> {
  const { name, address, representative } = asked.entity
  if (!name || !address || !representative) throw new Refused('REQUEST_MALFORMED', 'entity')
  await recordFact(context, 'entity.recorded', asked.by, { type: 'entity-recorded', entity: asked.entity })
}

export interface FilingToRecord {
  filing: FilingFact
  /** The day it was sent in, and the ministers' number of receipt. */
  filedOn?: LocalDate
  receipt?: string
  by: string
}

/** The ministers accepted a filing. It is the legal person's, and may name only some of its facilities. */
export async function acceptFiling(context: AgentContext, asked: FilingToRecord): Promise<void> {
  const { by, filing, ...more } = asked
  if (!isLocalDate(filing.acceptedOn) || (more.filedOn !== undefined && !isLocalDate(more.filedOn)))
    throw new Refused('REQUEST_MALFORMED', 'filing')
  const state = await facilityStateOf(context.store.db, context.facility)
  const entity = filing.entity ?? state?.entity.entity
  const facilities: FacilityId[] | undefined = filing.facilities
  await recordFact(context, 'filing.accepted', by, {
    type: 'filing-accepted',
    filing: {
      ...filing,
      ...(entity === undefined ? {} : { entity }),
      ...(facilities === undefined ? {} : { facilities }),
    },
    ...more,
  })
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
