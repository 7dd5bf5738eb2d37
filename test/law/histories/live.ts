import type { Agent } from '@kakehashi/agent/agent'
import type { AgentContext } from '@kakehashi/agent/context'
import { decidePatient, openGate } from '@kakehashi/agent/gate/flow'
import { newAgentKeys } from '@kakehashi/agent/keys'
import { notePatientSeen } from '@kakehashi/agent/register/flow'
import { registerOf } from '@kakehashi/agent/register/register'
import { appendEvent, seeTime } from '@kakehashi/agent/register/store'
import { openAgentStore } from '@kakehashi/agent/store/store'
import type { Env } from '@kakehashi/protocol/env'
import type { FacilityEvent } from '@kakehashi/protocol/events'
import { operatorId, type NoticeId, type StopId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import { Refused } from '@kakehashi/protocol/refusals'
import { decide, type Decision } from '@kakehashi/protocol/rules/decide'
import { newBoxKey, newSigningKey, toBase64 } from '@kakehashi/protocol/signing'
import { keyOf } from './enact.ts'
import type { Question, Step, Story } from './story.ts'

/** The same story lived through the real register: every step by its verb, each in its transaction. */
export class Live {
  readonly story: Story
  /** What was entered; a step that its verb refused is none. */
  readonly entered: Step[] = []
  refused = 0
  readonly #context: AgentContext
  readonly #register: Agent['register']
  readonly #clock: { now: number }
  readonly #notices = new Map<number, NoticeId>()
  readonly #stops = new Map<number, StopId>()

  private constructor(story: Story, context: AgentContext, clock: { now: number }) {
    this.story = story
    this.#context = context
    this.#clock = clock
    this.#register = registerOf(context, () => {})
  }

  static async begin(story: Story): Promise<Live> {
    const clock = { now: story.steps[0]!.at }
    const env = countingEnv(clock)
    const store = await openAgentStore(':memory:', env)
    const vault = newBoxKey(env)
    const context: AgentContext = {
      env,
      store,
      keys: newAgentKeys(env),
      facility: story.facility.facility,
      hub: {
        operator: operatorId('op-x'),
        operatorName: 'X',
        operatorAddress: 'X',
        vaultKey: toBase64(vault.public),
        vaultSigningKey: toBase64(newSigningKey(env).public),
        gatewayKey: toBase64(newSigningKey(env).public),
      },
      track: 'ANON',
      decide,
      rulesAt: () => story.rules,
      log: silentLog,
    }
    await store.bookkeep(async (tx) => {
      for (const event of facilityEvents(story, env)) await appendEvent(tx, event)
    })
    return new Live(story, context, clock)
  }

  async close(): Promise<void> {
    await this.#context.store.close()
  }

  async step(step: Step): Promise<void> {
    this.#clock.now = step.at
    const neutral: Step = { t: 'clear', at: step.at, chart: 0, reason: 'capacity' }
    try {
      this.entered.push((await this.#enter(step)) ? step : neutral)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.refused += 1
      this.entered.push(neutral)
    }
    await this.#context.store.bookkeep((tx) => seeTime(tx, step.at))
  }

  async ask(question: Question): Promise<Decision> {
    this.#clock.now = question.at
    const { db } = this.#context.store
    const open = await openGate(db, this.#context, operatorId(question.operator), question.track)
    const { operator } = this.story
    open.commons.operator = {
      operator: operatorId(question.operator),
      tracks: operator.tracks,
      standing: operator.certified ? 'certified' : 'revoked',
      asOf: question.at - operator.statusAgeMs,
    }
    const answer = await decidePatient(db, this.#context, keyOf(question.chart), open)
    const decision = answer.items.get(question.item)
    if (!decision) throw new Error(`no answer: ${answer.code}`)
    return decision
  }

  /** False: there is nothing of that number to speak of. */
  async #enter(step: Step): Promise<boolean> {
    const register = this.#register
    const by = 's1'
    if ('stop' in step && step.t !== 'stop') return this.#aboutStop(step)
    if ('notice' in step && step.t !== 'hand') return this.#aboutNotice(step)
    switch (step.t) {
      case 'seen':
        await this.#context.store.bookkeep((tx) =>
          notePatientSeen(tx, this.#context, {
            patient: keyOf(step.chart),
            birthDate: step.birth,
            deceasedOn: step.died,
          }),
        )
        return true
      case 'hand': {
        const { notices } = await register.recordNotice({
          patient: keyOf(step.chart),
          by,
          track: step.track,
          templateVersion: step.version,
          recipients: [step.role],
          recipientState: step.able ? 'able' : 'unable',
          method: step.method,
          operators: step.operators.map((id) => operatorId(id)),
          ...(step.said === null ? {} : { deliveredAt: step.said }),
          ...(step.secondPerson ? { approvedBy: 's2' } : {}),
          ...(step.evidence ? { evidence: 'slip 1' } : {}),
        })
        this.#notices.set(step.notice, notices[0]!)
        return true
      }
      case 'stop': {
        const { stop } = await register.recordStop({
          patient: keyOf(step.chart),
          by,
          requester: step.requester,
          tracks: step.tracks,
          operators: step.operators?.map((id) => operatorId(id)) ?? null,
          standing: step.provisional ? 'provisional' : 'confirmed',
        })
        this.#stops.set(step.stop, stop)
        return true
      }
      default:
        return this.#aboutPerson(step)
    }
  }

  async #aboutPerson(step: Step): Promise<boolean> {
    const register = this.#register
    const by = 's1'
    if (!('chart' in step)) return false
    const patient = keyOf(step.chart)
    if (step.t === 'capacity')
      await register.judgeCapacity({ patient, capacity: step.able ? 'able' : 'unable', by })
    if (step.t === 'death') await register.recordDeath({ patient, deceasedOn: step.on, by })
    if (step.t === 'hold') await register.setHold({ patient, reason: step.reason, by })
    if (step.t === 'clear') await register.clearHold({ patient, reason: step.reason, by })
    if (step.t === 'merge')
      await register.mergeCharts({ patient, other: keyOf(step.other), certain: step.certain, by })
    if (step.t === 'unmerge')
      await register.unmergeCharts({ patient, other: keyOf(step.other), approvedBy: 's2', by })
    return true
  }

  async #aboutNotice(step: Extract<Step, { notice: number }>): Promise<boolean> {
    const notice = this.#notices.get(step.notice)
    if (!notice) return false
    const register = this.#register
    const by = 's1'
    if (step.t === 'confirm') await register.confirmNotice({ notice, by })
    if (step.t === 'return') await register.returnNotice({ notice, by })
    if (step.t === 'void')
      await register.voidNotice({ notice, by, reason: step.undone ? 'undone' : 'wrong-patient' })
    if (step.t === 'approve')
      await register.approveBackdate({ notice, evidence: 'slip 2', by: step.byTwo ? 's2' : 's1' })
    if (step.t === 'arrive')
      await register.recordArrival({
        notice,
        arrivedAt: step.arrivedAt,
        evidence: 't1',
        approvedBy: step.byTwo ? 's2' : 's1',
        by,
      })
    return true
  }

  async #aboutStop(step: Extract<Step, { stop: number }>): Promise<boolean> {
    const stop = this.#stops.get(step.stop)
    if (!stop) return false
    const register = this.#register
    const by = 's1'
    if (step.t === 'believe') await register.confirmStop({ stop, identityCheck: 'card', by })
    if (step.t === 'dismiss')
      await register.dismissStop({ stop, reason: 'impostor', approvedBy: step.byTwo ? 's2' : 's1', by })
    if (step.t === 'withdraw') await register.withdrawStop({ stop, requester: step.requester, by })
    if (step.t === 'undo') await register.undoStop({ stop, by })
    return true
  }
}

function countingEnv(clock: { now: number }): Env {
  let count = 0
  let ids = 0
  return {
    now: () => clock.now,
    random: (n) =>
      Uint8Array.from({ length: n }, () => (count = (count * 1_103_515_245 + 12_345) >>> 0) >>> 24),
    id: () => `id-${(ids += 1).toString(36)}`,
    after: () => () => {},
  }
}

function facilityEvents({ facility }: Story, env: Env): FacilityEvent[] {
  const head = () => ({ event: env.id(), recordedAt: 0, by: 'office' })
  const { waitDays, deathPolicy, closedDays, endedOn } = facility
  return [
    { ...head(), type: 'entity-recorded', entity: facility.entity },
    ...facility.templates.map((template) => ({ ...head(), type: 'template-published' as const, template })),
    ...facility.filings.map((filing) => ({ ...head(), type: 'filing-accepted' as const, filing })),
    { ...head(), type: 'facility-settings', waitDays, deathPolicy, closedDays, endedOn },
  ]
}
