import {
  approvable,
  approvedFiles,
  proposable,
  rulesVersions,
  type RulesStep,
  type RulesVersion,
} from '@kakehashi/protocol/rules/approval'
import type { RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { readRuleFile } from '@kakehashi/protocol/rule-file-shape'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { OpsStore, OpsTx } from './ops.ts'

type Reader = OpsTx | OpsStore['db']

async function steps(db: Reader): Promise<RulesStep[]> {
  const rows = await db.selectFrom('rules_step').selectAll().orderBy('seq').execute()
  return rows.map((row): RulesStep => {
    const said = { hash: row.hash, by: row.staff, at: Number(row.at) }
    return row.step === 'proposed'
      ? { step: 'proposed', ...said, rules: JSON.parse(row.rules ?? 'null') as RuleFile }
      : { step: 'approved', ...said }
  })
}

/** Every rule file this vault ever knew, the oldest first. */
export async function rulesHistory(db: Reader): Promise<RulesVersion[]> {
  return rulesVersions(await steps(db))
}

/** What two people put in force here; the second gate reads it in the transaction that admits. */
export async function approvedRules(db: Reader): Promise<RuleFile[]> {
  return approvedFiles(await steps(db))
}

/** One person writes other values down; they decide nothing yet. */
export async function proposeRules(
  ops: OpsStore,
  asked: { rules: unknown; by: string },
): Promise<{ version: string; hash: string }> {
  const rules = readRuleFile(asked.rules)
  const { version } = rules
  return ops.transact(
    ({ hash }: { hash: string }) => ({ act: 'rules.proposed', actor: asked.by, detail: { version, hash } }),
    async (tx) => {
      const hash = proposable(await rulesHistory(tx), rules, ops.env.now())
      await keep(tx, ops, { step: 'proposed', hash, rules: JSON.stringify(rules), staff: asked.by })
      return { version, hash }
    },
  )
}

/** Another person agrees to exactly that text, before its first day. */
export async function approveRules(
  ops: OpsStore,
  asked: { hash: string; by: string },
): Promise<{ version: string; effectiveFrom: LocalDate }> {
  return ops.transact(
    ({ version }: { version: string }) => ({
      act: 'rules.approved',
      actor: asked.by,
      detail: { version, hash: asked.hash },
    }),
    async (tx) => {
      const { version, effectiveFrom } = approvable(await rulesHistory(tx), asked, ops.env.now())
      await keep(tx, ops, { step: 'approved', hash: asked.hash, rules: null, staff: asked.by })
      return { version, effectiveFrom }
    },
  )
}

async function keep(
  tx: OpsTx,
  ops: OpsStore,
  row: { step: 'proposed' | 'approved'; hash: string; rules: string | null; staff: string },
): Promise<void> {
  const last = await tx
    .selectFrom('rules_step')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  await tx
    .insertInto('rules_step')
    .values({ seq: Number(last?.seq ?? 0) + 1, ...row, at: ops.env.now() })
    .execute()
}
