import { Refused } from '@kakehashi/protocol/refusals'
import type { AgentContext } from '../context.ts'
import { isDiskFull } from '../store/disk-full.ts'
import * as flow from './flow.ts'

/** The verbs that people at the counter and in the office use; each returns after its transaction committed. */
const VERBS = {
  recordNotice: flow.recordNotice,
  confirmNotice: flow.confirmNotice,
  approveBackdate: flow.approveBackdate,
  refuseBackdate: flow.refuseBackdate,
  recordArrival: flow.recordArrival,
  returnNotice: flow.returnNotice,
  voidNotice: flow.voidNotice,
  judgeCapacity: flow.judgeCapacity,
  recordDeath: flow.recordDeath,
  setProtection: flow.setProtection,
  recordStop: flow.recordStop,
  confirmStop: flow.confirmStop,
  dismissStop: flow.dismissStop,
  withdrawStop: flow.withdrawStop,
  undoStop: flow.undoStop,
  recordNameStop: flow.recordNameStop,
  settleNameStop: flow.settleNameStop,
  askErasure: flow.askErasure,
  agreeElectronicSlip: flow.agreeElectronicSlip,
  handSlip: flow.handSlip,
  bounceSlip: flow.bounceSlip,
  setHold: flow.setHold,
  clearHold: flow.clearHold,
  mergeCharts: flow.mergeCharts,
  unmergeCharts: flow.unmergeCharts,
  recordEntity: flow.recordEntity,
  publishNotice: flow.publishNotice,
  translateNotice: flow.translateNotice,
  acceptFiling: flow.acceptFiling,
  endFiling: flow.endFiling,
  setFacility: flow.setFacility,
  proposeRules: flow.proposeRules,
  approveRules: flow.approveRules,
} as const

type Verbs = typeof VERBS
export type Register = {
  [V in keyof Verbs]: (asked: Parameters<Verbs[V]>[1]) => ReturnType<Verbs[V]>
}

/** The verbs bound to one agent; `recorded` is told after each, so that a stop leaves for the hub at once. */
export function registerOf(context: AgentContext, recorded: () => void): Register {
  const bound = Object.entries(VERBS).map(([name, verb]) => {
    const act = verb as (context: AgentContext, asked: unknown) => Promise<unknown>
    return [
      name,
      async (asked: unknown) => {
        try {
          const result = await act(context, asked)
          recorded()
          return result
        } catch (error) {
          throw isDiskFull(error) ? new Refused('DISK_FULL') : error
        }
      },
    ]
  })
  return Object.fromEntries(bound) as Register
}
