/** What a label of a record means for its travel. `drop`: not a real patient (test data). */
export type LabelRule = 'forward' | 'hold' | 'drop'

export interface Labels {
  security: string[]
  tags: string[]
}

/** Keyed by code; security codes not listed are held, tags not listed are forwarded. */
export interface LabelPolicy {
  security: Readonly<Record<string, LabelRule>>
  tags: Readonly<Record<string, LabelRule>>
}

/**
 * DATA T23. Confidentiality (HL7 v3): N normal, L low, M moderate, U unrestricted travel; R restricted and V very
 * restricted wait for a person. `UNINFORMED` (未告知: the patient has not been told the diagnosis) waits too, so that
 * nothing of ours can be the one to tell.
 */
export const LABEL_POLICY: LabelPolicy = {
  security: { N: 'forward', L: 'forward', M: 'forward', U: 'forward', R: 'hold', V: 'hold', HTEST: 'drop' },
  tags: { HTEST: 'drop', UNINFORMED: 'hold' },
}

const STRICTNESS: Record<LabelRule, number> = { forward: 0, hold: 1, drop: 2 }

/** The strictest rule of all labels. Labels are `system|code`. */
export function ruleOf(labels: Labels, policy: LabelPolicy): LabelRule {
  const rules = [
    ...labels.security.map((label) => rule(policy.security, label, 'hold')),
    ...labels.tags.map((label) => rule(policy.tags, label, 'forward')),
  ]
  return rules.reduce<LabelRule>(
    (worst, next) => (STRICTNESS[next] > STRICTNESS[worst] ? next : worst),
    'forward',
  )
}

function rule(rules: Readonly<Record<string, LabelRule>>, label: string, unknown: LabelRule): LabelRule {
  const code = label.slice(label.lastIndexOf('|') + 1)
  return Object.hasOwn(rules, code) ? (rules[code] as LabelRule) : unknown
}
