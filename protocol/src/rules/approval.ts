import type { Instant } from '../env.ts'
import { Refused } from '../refusals.ts'
import { startOfDay } from './calendar.ts'
import { RULES, rulesHash, type RuleFile } from './rule-file.ts'
import type { LocalDate } from './state.ts'

/** A program that runs learns of an approval within a minute; so an approved file begins no sooner than this. */
const NOTICE_MS_MIN = 10 * 60 * 1000

/** One person's proposal of a rule file, or another's agreement to exactly that text, as either place keeps them. */
export type RulesStep =
  | { step: 'proposed'; hash: string; rules: RuleFile; by: string; at: Instant }
  | { step: 'approved'; hash: string; by: string; at: Instant }

export interface RulesVersion {
  version: string
  hash: string
  effectiveFrom: LocalDate
  /** `built-in`: came with the software. */
  standing: 'built-in' | 'proposed' | 'approved'
  proposedBy: string | null
  proposedAt: Instant | null
  approvedBy: string | null
  approvedAt: Instant | null
  rules: RuleFile
}

/** Every rule file a place ever knew, the oldest first: those built in, then the proposals in their order. */
export function rulesVersions(steps: readonly RulesStep[]): RulesVersion[] {
  const unproposed = { proposedBy: null, proposedAt: null, approvedBy: null, approvedAt: null }
  const named = (rules: RuleFile) => ({ version: rules.version, effectiveFrom: rules.effectiveFrom, rules })
  const versions: RulesVersion[] = RULES.map((rules) => ({
    ...named(rules),
    ...unproposed,
    hash: rulesHash(rules),
    standing: 'built-in',
  }))
  for (const step of steps) {
    if (step.step === 'proposed') {
      const { hash, rules, by, at } = step
      versions.push({
        ...named(rules),
        ...unproposed,
        hash,
        standing: 'proposed',
        proposedBy: by,
        proposedAt: at,
      })
      continue
    }
    const proposal = versions.find((v) => v.standing === 'proposed' && v.hash === step.hash)
    // an approval by whoever proposed it, or of another text, is none, whoever wrote it down
    if (!proposal || proposal.proposedBy === step.by || rulesHash(proposal.rules) !== step.hash) continue
    proposal.standing = 'approved'
    proposal.approvedBy = step.by
    proposal.approvedAt = step.at
  }
  return versions
}

/** Rule files that two people put in force, in the order of their approval. */
export function approvedFiles(steps: readonly RulesStep[]): RuleFile[] {
  return rulesVersions(steps)
    .filter((v) => v.standing === 'approved')
    .toSorted((a, b) => (a.approvedAt ?? 0) - (b.approvedAt ?? 0))
    .map((v) => v.rules)
}

/** A rule file must begin after its approval: what was decided before is never judged anew (R53). */
function refuseRetroactive(rules: RuleFile, now: Instant): void {
  if (startOfDay(rules.effectiveFrom) - now < NOTICE_MS_MIN) throw new Refused('NOT_ALLOWED', 'effectiveFrom')
}

/** The hash of a file that may be proposed now. Throws `Refused`. */
export function proposable(known: readonly RulesVersion[], rules: RuleFile, now: Instant): string {
  refuseRetroactive(rules, now)
  if (known.some((v) => v.version === rules.version)) throw new Refused('NOT_ALLOWED', 'version')
  return rulesHash(rules)
}

/** The proposal that this other person may approve now. Throws `Refused`. */
export function approvable(
  known: readonly RulesVersion[],
  asked: { hash: string; by: string },
  now: Instant,
): RulesVersion {
  const proposal = known.find((v) => v.hash === asked.hash && v.standing !== 'built-in')
  if (!proposal) throw new Refused('NOT_FOUND', 'rules')
  if (proposal.standing === 'approved') throw new Refused('NOT_ALLOWED', 'approved already')
  if (proposal.proposedBy === asked.by || asked.by === '') throw new Refused('NOT_ALLOWED', 'approvedBy')
  refuseRetroactive(proposal.rules, now)
  return proposal
}
