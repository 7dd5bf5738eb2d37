import type { Instant } from '@kakehashi/protocol/env'
import type { FacilityEvent } from '@kakehashi/protocol/events'
import { Refused } from '@kakehashi/protocol/refusals'
import { startOfDay } from '@kakehashi/protocol/rules/calendar'
import { RULES, rulesHash, type rulesAt, type RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { RULE_FILE } from '@kakehashi/protocol/rule-file-shape'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { appendFact } from './fact.ts'
import { facilityEvents, type RegisterReader } from './read.ts'

/** An agent that runs learns of an approval within a minute; so an approved file begins no sooner than this. */
const NOTICE_MS_MIN = 10 * 60 * 1000

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

/** Every rule file this installation ever knew, the oldest first. */
export async function rulesHistory(db: RegisterReader): Promise<RulesVersion[]> {
  return historyOf(await facilityEvents(db, ['rules-proposed', 'rules-changed']))
}

function historyOf(events: readonly FacilityEvent[]): RulesVersion[] {
  const versions: RulesVersion[] = RULES.map((rules) => ({
    version: rules.version,
    hash: rulesHash(rules),
    effectiveFrom: rules.effectiveFrom,
    standing: 'built-in',
    proposedBy: null,
    proposedAt: null,
    approvedBy: null,
    approvedAt: null,
    rules,
  }))
  for (const event of events) {
    if (event.type === 'rules-proposed')
      versions.push({
        version: event.rules.version,
        hash: event.hash,
        effectiveFrom: event.rules.effectiveFrom,
        standing: 'proposed',
        proposedBy: event.by,
        proposedAt: event.recordedAt,
        approvedBy: null,
        approvedAt: null,
        rules: event.rules,
      })
    if (event.type === 'rules-changed') {
      const proposal = versions.find((v) => v.standing === 'proposed' && v.hash === event.hash)
      // an approval by whoever proposed it, or of another text, is none, whoever wrote the event
      if (!proposal || proposal.proposedBy === event.by || rulesHash(proposal.rules) !== event.hash) continue
      proposal.standing = 'approved'
      proposal.approvedBy = event.by
      proposal.approvedAt = event.recordedAt
    }
  }
  return versions
}

/** Rule files that two people put in force here, in the order of their approval. */
export async function approvedRules(db: RegisterReader): Promise<RuleFile[]> {
  return historyOf(await facilityEvents(db, ['rules-proposed', 'rules-changed']))
    .filter((v) => v.standing === 'approved')
    .toSorted((a, b) => (a.approvedAt ?? 0) - (b.approvedAt ?? 0))
    .map((v) => v.rules)
}

/** A rule file must begin after its approval: what was decided before is never judged anew (R53). */
function refuseRetroactive(rules: RuleFile, now: Instant): void {
  if (startOfDay(rules.effectiveFrom) - now < NOTICE_MS_MIN) throw new Refused('NOT_ALLOWED', 'effectiveFrom')
}

/** One person writes other values down; they decide nothing yet. */
export async function proposeRules(
  context: AgentContext,
  asked: { rules: unknown; by: string },
): Promise<{ version: string; hash: string }> {
  const parsed = RULE_FILE.safeParse(asked.rules)
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => issue.path.map(String).join('.') || 'file')
    throw new Refused('REQUEST_MALFORMED', `rules ${[...new Set(places)].join(' ')}`)
  }
  const rules = parsed.data
  refuseRetroactive(rules, context.env.now())
  const hash = rulesHash(rules)
  const known = await rulesHistory(context.store.db)
  if (known.some((v) => v.version === rules.version)) throw new Refused('NOT_ALLOWED', 'version')
  await context.store.transact(
    { act: 'rules.proposed', actor: asked.by, detail: { version: rules.version, hash } },
    (tx) => appendFact(tx, context, asked.by, { type: 'rules-proposed', hash, rules }),
  )
  return { version: rules.version, hash }
}

/** Another person agrees to exactly that text. */
export async function approveRules(
  context: AgentContext,
  asked: { hash: string; by: string },
): Promise<{ version: string; effectiveFrom: LocalDate }> {
  const known = await rulesHistory(context.store.db)
  const proposal = known.find((v) => v.hash === asked.hash && v.standing !== 'built-in')
  if (!proposal) throw new Refused('NOT_FOUND', 'rules')
  if (proposal.standing === 'approved') throw new Refused('NOT_ALLOWED', 'approved already')
  if (proposal.proposedBy === asked.by || asked.by === '') throw new Refused('NOT_ALLOWED', 'approvedBy')
  refuseRetroactive(proposal.rules, context.env.now())
  const { version, effectiveFrom, proposedBy } = proposal
  await context.store.transact(
    { act: 'rules.approved', actor: asked.by, detail: { version, hash: asked.hash } },
    (tx) =>
      appendFact(tx, context, asked.by, {
        type: 'rules-changed',
        version,
        hash: asked.hash,
        ...(proposedBy === null ? {} : { proposedBy }),
      }),
  )
  return { version, effectiveFrom }
}

/** The rules an agent decides by: those built in and those approved, as last read. */
export class RuleShelf {
  readonly #base: typeof rulesAt
  #approved: readonly RuleFile[] = []
  constructor(base: typeof rulesAt) {
    this.#base = base
  }

  at = (now: Instant): RuleFile => this.#base(now, this.#approved)

  async read(db: RegisterReader): Promise<void> {
    this.#approved = await approvedRules(db)
  }
}
