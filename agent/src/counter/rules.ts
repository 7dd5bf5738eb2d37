import type { PatientState, StopFact, TemplateFact, Track } from '@kakehashi/protocol/rules/state'

/** Full years on `today`; a birthday on 29 February counts on 1 March in common years. */
export function ageOn(birthDate: string, today: string): number {
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return today.slice(5) < birthDate.slice(5) ? years - 1 : years
}

export function stopsInForce(state: PatientState): StopFact[] {
  return state.stops.filter((stop) => stop.standing === 'confirmed' || stop.standing === 'provisional')
}

/** Who must hear of it: guardians too for a child and for whoever lacks capacity. */
export function guardianNeeded(state: PatientState, age: number | null, ownNoticeAge: number): boolean {
  return (age !== null && age < ownNoticeAge) || state.capacity === 'unable'
}

export interface NoticeSummary {
  person: 'none' | 'pending' | 'done' | 'unable'
  guardian: 'none' | 'pending' | 'done'
}

/** Of one track: each has a notice, a filing and a period of its own (LAW §3.4). */
export function noticeSummary(state: PatientState, track: Track): NoticeSummary {
  const notices = state.notices.filter((one) => one.track === track)
  const of = (role: 'person' | 'guardian') => notices.filter((one) => one.recipient === role)
  const standing = (role: 'person' | 'guardian') => {
    const notices = of(role)
    const able = notices.filter((one) => one.recipientState === 'able')
    if (able.some((one) => one.standing === 'effective')) return 'done'
    if (able.some((one) => one.standing === 'pending')) return 'pending'
    return notices.some((one) => one.standing === 'effective') ? 'unable' : 'none'
  }
  const guardian = standing('guardian')
  return { person: standing('person'), guardian: guardian === 'unable' ? 'none' : guardian }
}

export function newestTemplate(templates: readonly TemplateFact[], track: Track): TemplateFact | null {
  const fit = templates.filter((one) => one.track === track)
  return fit.toSorted((a, b) => b.version - a.version)[0] ?? null
}
