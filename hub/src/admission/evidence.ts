import type { Evidence } from '@kakehashi/protocol/records'
import type { FacilityState, FilingFact, TemplateFact, Track } from '@kakehashi/protocol/rules/state'

/**
 * True when a proof names a legal person, a notice text or a filing that the facility never declared, or declared
 * otherwise. A proof older than the declaration may know less, never more and never differently.
 */
export function contradictsDeclared(one: Evidence, declared: FacilityState, track: Track): boolean {
  const { facility, patient } = one.state
  if (facility.facility !== declared.facility || facility.entity.entity !== declared.entity.entity)
    return true
  if (facility.templates.some((t) => !declared.templates.some((d) => sameTemplate(t, d)))) return true
  if (facility.filings.some((f) => !declared.filings.some((d) => coveredBy(f, d)))) return true
  return patient.notices.some(
    (n) =>
      n.track === track &&
      n.standing === 'effective' &&
      !declared.templates.some(
        (d) => d.track === n.track && d.version === n.templateVersion && d.hash === n.templateHash,
      ),
  )
}

function sameTemplate(a: TemplateFact, b: TemplateFact): boolean {
  return (
    a.version === b.version &&
    a.track === b.track &&
    a.hash === b.hash &&
    a.publishedAt === b.publishedAt &&
    sameSet(a.items, b.items) &&
    sameSet(a.operators, b.operators)
  )
}

function coveredBy(claimed: FilingFact, declared: FilingFact): boolean {
  return (
    claimed.filing === declared.filing &&
    claimed.track === declared.track &&
    claimed.acceptedOn === declared.acceptedOn &&
    claimed.templateVersion <= declared.templateVersion
  )
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((x) => b.includes(x))
}
