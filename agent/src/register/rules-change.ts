import type { Instant } from '@kakehashi/protocol/env'
import type { FacilityEvent } from '@kakehashi/protocol/events'
import {
  approvable,
  approvedFiles,
  proposable,
  rulesVersions,
  type RulesStep,
  type RulesVersion,
} from '@kakehashi/protocol/rules/approval'
import type { rulesAt, RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { readRuleFile } from '@kakehashi/protocol/rule-file-shape'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { appendFact } from './fact.ts'
import { facilityEvents, type RegisterReader } from './read.ts'

function stepOf(event: FacilityEvent): RulesStep[] {
  const { by, recordedAt: at } = event
  if (event.type === 'rules-proposed')
    return [{ step: 'proposed', hash: event.hash, rules: event.rules, by, at }]
  return event.type === 'rules-changed' ? [{ step: 'approved', hash: event.hash, by, at }] : []
}

async function steps(db: RegisterReader): Promise<RulesStep[]> {
  return (await facilityEvents(db, ['rules-proposed', 'rules-changed'])).flatMap(stepOf)
}

/** Every rule file this installation ever knew, the oldest first. */
export async function rulesHistory(db: RegisterReader): Promise<RulesVersion[]> {
  return rulesVersions(await steps(db))
}

/** One person writes other values down; they decide nothing yet. */
export async function proposeRules(
  context: AgentContext,
  asked: { rules: unknown; by: string },
): Promise<{ version: string; hash: string }> {
  const rules = readRuleFile(asked.rules)
  const { version } = rules
  return context.store.transact(
    ({ hash }: { hash: string }) => ({ act: 'rules.proposed', actor: asked.by, detail: { version, hash } }),
    async (tx) => {
      const hash = proposable(await rulesHistory(tx), rules, context.env.now())
      await appendFact(tx, context, asked.by, { type: 'rules-proposed', hash, rules })
      return { version, hash }
    },
  )
}

/** Another person agrees to exactly that text. */
export async function approveRules(
  context: AgentContext,
  asked: { hash: string; by: string },
): Promise<{ version: string; effectiveFrom: LocalDate }> {
  return context.store.transact(
    ({ version }: { version: string }) => ({
      act: 'rules.approved',
      actor: asked.by,
      detail: { version, hash: asked.hash },
    }),
    async (tx) => {
      const known = await rulesHistory(tx)
      const { version, effectiveFrom, proposedBy } = approvable(known, asked, context.env.now())
      await appendFact(tx, context, asked.by, {
        type: 'rules-changed',
        version,
        hash: asked.hash,
        ...(proposedBy === null ? {} : { proposedBy }),
      })
      return { version, effectiveFrom }
    },
  )
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
    this.#approved = approvedFiles(await steps(db))
  }
}
