import type { CapacityJudged } from '@kakehashi/protocol/events'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import { aboutPatient, type AgentContext } from '../context.ts'
import { haltPatients, type Halted } from '../outbox/halt.ts'
import { refuseUnsureClock } from './clock.ts'
import { appendOpening } from './opening.ts'
import { chartsOfPerson } from './read.ts'
import { appendEvent } from './store.ts'

/** Whether somebody can judge for themselves; asked again at each visit while they cannot, or from a day that is named. */
export async function judgeCapacity(
  context: AgentContext,
  asked: { patient: PatientKey; by: string } & Pick<
    CapacityJudged,
    'capacity' | 'ground' | 'judgedBy' | 'askAgainOn'
  >,
): Promise<Halted> {
  await refuseUnsureClock(context)
  const now = context.env.now()
  return context.store.transact(
    {
      act: 'capacity.judged',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { capacity: asked.capacity },
    },
    async (tx) => {
      await appendOpening(tx, {
        type: 'capacity-judged',
        event: context.env.id(),
        recordedAt: now,
        ...asked,
      })
      return haltPatients(tx, await chartsOfPerson(tx, asked.patient), now)
    },
  )
}

/** The hospital heard of a death before its records did. `null` takes back what was recorded so in error. */
export async function recordDeath(
  context: AgentContext,
  asked: {
    patient: PatientKey
    deceasedOn: LocalDate | null
    ground?: string
    by: string
    approvedBy?: string
  },
): Promise<Halted> {
  await refuseUnsureClock(context)
  const now = context.env.now()
  const { deceasedOn } = asked
  if (deceasedOn !== null && (!isLocalDate(deceasedOn) || deceasedOn > tokyoDate(now)))
    throw new Refused('REQUEST_MALFORMED', 'deceasedOn')
  return context.store.transact(
    { act: 'death.recorded', actor: asked.by, about: aboutPatient(context, asked.patient) },
    async (tx) => {
      await appendOpening(tx, {
        type: 'death-recorded',
        event: context.env.id(),
        recordedAt: now,
        ...asked,
      })
      return haltPatients(tx, await chartsOfPerson(tx, asked.patient), now)
    },
  )
}

/** 支援措置 (violence, stalking): no letter to the address in the chart from now on (LAW trap 36). */
export async function setProtection(
  context: AgentContext,
  asked: { patient: PatientKey; protected: boolean; by: string },
): Promise<void> {
  await context.store.transact(
    { act: 'protection.set', actor: asked.by, about: aboutPatient(context, asked.patient) },
    (tx) =>
      appendEvent(tx, {
        type: 'protection-set',
        event: context.env.id(),
        recordedAt: context.env.now(),
        ...asked,
      }),
  )
}
