import type { RuleFile } from '@kakehashi/protocol/rules/rule-file'
import type {
  FacilityState,
  HoldReason,
  ItemClass,
  NoticeMethod,
  RecipientRole,
  StopFact,
  Track,
} from '@kakehashi/protocol/rules/state'

/**
 * One hospital's past with up to three charts, told as what people did: the words a register keeps are made from it by
 * `enact.ts`, and what the law says of it is worked out by `oracle.ts`, which sees neither those words nor our rules.
 */
export interface Story {
  seed: number
  rules: RuleFile
  facility: FacilityState
  operator: { tracks: Track[]; certified: boolean; statusAgeMs: number }
  steps: Step[]
  questions: Question[]
}

export type Chart = 0 | 1 | 2

/** `at`: what the agent's clock showed when it was entered. */
export type Step = { at: number } & (
  | { t: 'seen'; chart: Chart; birth: string | null; died: string | null }
  | ({ t: 'hand' } & Handing)
  | { t: 'confirm'; notice: number }
  | { t: 'approve'; notice: number; byTwo: boolean }
  | { t: 'return'; notice: number }
  | { t: 'void'; notice: number; undone: boolean }
  | { t: 'arrive'; notice: number; arrivedAt: number; byTwo: boolean }
  | { t: 'capacity'; chart: Chart; able: boolean }
  | { t: 'death'; chart: Chart; on: string | null }
  | {
      t: 'stop'
      stop: number
      chart: Chart
      requester: StopFact['requester']
      tracks: Track[] | null
      operators: string[] | null
      provisional: boolean
    }
  | { t: 'believe'; stop: number }
  | { t: 'dismiss'; stop: number; byTwo: boolean }
  | { t: 'withdraw'; stop: number; requester: StopFact['requester'] }
  | { t: 'undo'; stop: number }
  | { t: 'hold'; chart: Chart; reason: HoldReason }
  | { t: 'clear'; chart: Chart; reason: HoldReason }
  | { t: 'merge'; chart: Chart; other: Chart; certain: boolean }
  | { t: 'unmerge'; chart: Chart; other: Chart }
)

export interface Handing {
  notice: number
  chart: Chart
  track: Track
  version: number
  role: RecipientRole | 'other'
  method: NoticeMethod
  able: boolean
  operators: string[]
  /** When it is said to have been handed over; `null`: now, or a letter's assumed arrival. */
  said: number | null
  secondPerson: boolean
  /** Written past the verb, with the date as it was said: the gate must know what that is worth. */
  raw: boolean
  evidence: boolean
}

/** Asked when only the first `after` steps had happened. */
export interface Question {
  at: number
  after: number
  chart: Chart
  track: Track
  operator: string
  item: ItemClass
}
