import { dateNotice } from '@kakehashi/agent/register/rules'
import type { NoticeGiven, PatientEvent } from '@kakehashi/protocol/events'
import { noticeId, operatorId, patientKey, stopId, type PatientKey } from '@kakehashi/protocol/ids'
import { addDays, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { chartsOf } from '@kakehashi/protocol/rules/charts'
import { decide, type Decision } from '@kakehashi/protocol/rules/decide'
import { foldPatient } from '@kakehashi/protocol/rules/fold'
import type { GateState } from '@kakehashi/protocol/rules/state'
import { UNDO_MS_MAX } from '@kakehashi/protocol/limits'
import type { Chart, Handing, Question, Step, Story } from './story.ts'

/**
 * The words that the register's verbs write for a story, refusals included: what a verb refuses leaves no word, what
 * only the fold may judge is written down all the same.
 */
export class Enacted {
  readonly #story: Story
  readonly #events: PatientEvent[] = []
  /** How many words and which latest clock there were after so many steps. */
  readonly #after: { words: number; latest: number }[] = []
  readonly #given = new Map<number, NoticeGiven>()
  readonly #stops = new Map<number, { charts: PatientKey[] }>()
  #latest = 0
  #count = 0

  constructor(story: Story) {
    this.#story = story
    this.#after.push({ words: 0, latest: 0 })
    for (const step of story.steps) {
      for (const event of this.#words(step)) this.#events.push(event)
      // an agent looks at its clock every minute, whether or not anything is written
      this.#latest = Math.max(this.#latest, step.at)
      this.#after.push({ words: this.#events.length, latest: this.#latest })
    }
  }

  latestAfter(steps: number): number {
    return this.#after[steps]?.latest ?? 0
  }

  stateAt({ after, chart, at, operator }: Question): GateState {
    const { words, latest } = this.#after[after]!
    const { facility, operator: op } = this.#story
    return {
      facility,
      patient: foldPatient(keyOf(chart), this.#events.slice(0, words)),
      operator: {
        operator: operatorId(operator),
        tracks: op.tracks,
        standing: op.certified ? 'certified' : 'revoked',
        asOf: at - op.statusAgeMs,
      },
      latestSeen: latest,
    }
  }

  ask(question: Question): Decision {
    const { track, item, at } = question
    return decide(this.stateAt(question), { track, item }, this.#story.rules, at)
  }

  #words(step: Step): PatientEvent[] {
    const head = { event: `e${this.#count++}`, recordedAt: step.at, by: 's1' }
    switch (step.t) {
      case 'seen':
        return [
          {
            ...head,
            type: 'patient-seen',
            patient: keyOf(step.chart),
            birthDate: step.birth,
            deceasedOn: step.died,
          },
        ]
      case 'hand':
        return this.#hand(step, head)
      case 'confirm':
      case 'approve':
      case 'return':
      case 'void':
      case 'arrive':
        return this.#aboutNotice(step, head)
      case 'capacity':
        return [
          {
            ...head,
            type: 'capacity-judged',
            patient: keyOf(step.chart),
            capacity: step.able ? 'able' : 'unable',
          },
        ]
      case 'death':
        return [{ ...head, type: 'death-recorded', patient: keyOf(step.chart), deceasedOn: step.on }]
      case 'hold':
        return [{ ...head, type: 'hold-set', patient: keyOf(step.chart), reason: step.reason }]
      case 'clear':
        return [{ ...head, type: 'hold-cleared', patient: keyOf(step.chart), reason: step.reason }]
      case 'merge':
        return [
          {
            ...head,
            type: 'charts-merged',
            patient: keyOf(step.chart),
            other: keyOf(step.other),
            certain: step.certain,
          },
        ]
      case 'unmerge':
        return [
          {
            ...head,
            type: 'charts-unmerged',
            patient: keyOf(step.chart),
            other: keyOf(step.other),
            approvedBy: 's2',
          },
        ]
      default:
        return this.#aboutStop(step, head)
    }
  }

  #hand(step: Handing & { at: number }, head: Head): PatientEvent[] {
    const { rules, facility } = this.#story
    const now = Math.max(step.at, this.#latest)
    const arrival = startOfDay(addDays(tokyoDate(now), rules.postArrivalDays))
    const dating = dateNotice(
      {
        deliveredAt: step.said ?? (step.method === 'post' ? arrival : now),
        method: step.method,
        by: 's1',
        approvedBy: step.secondPerson ? 's2' : undefined,
        evidence: step.evidence ? 'slip 1' : undefined,
      },
      now,
    )
    const raw = step.raw && step.said !== null && !dating?.approved
    const template = facility.templates.find((t) => t.track === step.track && t.version === step.version)
    if ((!dating && !raw) || !template || (dating?.approved && dating.deliveredAt < template.publishedAt))
      return []
    const deliveredAt = raw ? (step.said ?? now) : (dating?.deliveredAt ?? now)
    const event: NoticeGiven = {
      ...head,
      type: 'notice-given',
      recordedAt: now,
      patient: keyOf(step.chart),
      notice: noticeId(`n${step.notice}`),
      track: step.track,
      templateVersion: step.version,
      templateHash: template.hash,
      operators: step.operators.map((id) => operatorId(id)),
      recipient: step.role,
      recipientState: step.able ? 'able' : 'unable',
      method: step.method,
      issuedAt: Math.min(now, deliveredAt),
      deliveredAt,
      ...(dating && !dating.asAsked && !raw && step.said !== null ? { saidDeliveredAt: step.said } : {}),
      confirmed: step.method !== 'kiosk',
      ...(dating?.approved ? { backdateApprovedBy: 's2' } : {}),
    }
    this.#given.set(step.notice, event)
    return [event]
  }

  #aboutNotice(step: Extract<Step, { notice: number }>, head: Head): PatientEvent[] {
    const given = this.#given.get(step.notice)
    if (!given) return []
    const about = { ...head, patient: given.patient, notice: given.notice }
    if (step.t === 'approve') return this.#approve(step, given, about)
    if (step.t === 'confirm') return [{ ...about, type: 'notice-confirmed' }]
    if (step.t === 'return') return [{ ...about, type: 'notice-returned' }]
    if (step.t === 'void') {
      const elapsed = step.at - given.recordedAt
      if (step.undone && (elapsed < 0 || elapsed > UNDO_MS_MAX)) return []
      return [{ ...about, type: 'notice-voided', reason: step.undone ? 'undone' : 'wrong-patient' }]
    }
    if (step.t !== 'arrive' || given.method !== 'post' || step.arrivedAt > step.at) return []
    if (tokyoDate(step.arrivedAt) < tokyoDate(given.issuedAt)) return []
    const arrivedAt = Math.max(step.arrivedAt, given.issuedAt)
    return [
      { ...about, type: 'notice-arrived', arrivedAt, evidence: 't1', approvedBy: step.byTwo ? 's2' : 's1' },
    ]
  }

  /** The verb refuses who recorded it, and what was entered before its text was published; the fold refuses the former too. */
  #approve(
    step: Extract<Step, { t: 'approve' }>,
    given: NoticeGiven,
    about: Head & Pick<NoticeGiven, 'patient' | 'notice'>,
  ): PatientEvent[] {
    const { saidDeliveredAt: deliveredAt } = given
    const template = this.#story.facility.templates.find(
      (t) => t.track === given.track && t.version === given.templateVersion,
    )
    if (deliveredAt === undefined || !template || deliveredAt < template.publishedAt) return []
    const by = step.byTwo ? 's2' : given.by
    return [{ ...about, type: 'notice-backdated', by, deliveredAt, evidence: 'slip 2' }]
  }

  #aboutStop(step: Extract<Step, { stop: number }>, head: Head): PatientEvent[] {
    const stop = stopId(`s${step.stop}`)
    if (step.t === 'stop') {
      const charts = [...chartsOf(keyOf(step.chart), this.#events).same]
      this.#stops.set(step.stop, { charts })
      return charts.map((patient) => ({
        ...head,
        event: `${head.event}-${patient}`,
        type: 'stop-asked',
        patient,
        stop,
        tracks: step.tracks,
        operators: step.operators?.map((id) => operatorId(id)) ?? null,
        requester: step.requester,
        identityCheck: 'known',
        standing: step.provisional ? 'provisional' : 'confirmed',
        origin: 'counter',
        erasureAsked: false,
      }))
    }
    const charts = this.#stops.get(step.stop)?.charts ?? []
    return charts.flatMap((patient): PatientEvent[] => {
      const about = { ...head, event: `${head.event}-${patient}`, patient, stop }
      if (step.t === 'undo') return [{ ...about, type: 'stop-undone' }]
      if (step.t === 'believe') return [{ ...about, type: 'stop-confirmed', identityCheck: 'card' }]
      if (step.t === 'dismiss')
        return [
          { ...about, type: 'stop-dismissed', reason: 'impostor', approvedBy: step.byTwo ? 's2' : 's1' },
        ]
      return step.requester === 'family'
        ? []
        : [{ ...about, type: 'stop-withdrawn', requester: step.requester }]
    })
  }
}

type Head = { event: string; recordedAt: number; by: string }

export function keyOf(chart: Chart): PatientKey {
  return patientKey('hp' as never, `000${chart + 1}`)
}
