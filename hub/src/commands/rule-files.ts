import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { approvedRules, approveRules, proposeRules, rulesHistory } from '../vault/rules-change.ts'
import type { HubContext } from './context.ts'
import { OFFICERS, proven, withSecrets, type ProofOptions } from './proof.ts'

const STANDINGS = { 'built-in': '組み込み', proposed: '承認待ち', approved: '承認済み' } as const

/** Why a file or an approval is not taken, by the place the refusal names. */
const WHY: Record<string, string> = {
  effectiveFrom: '効力の始まる日が今日以前です。さかのぼる規則は使えません。翌日以後の日にしてください。',
  version: 'その版はもうあります。新しい版の名にしてください。',
  rules: 'その規則ファイルは提案されていません。rules show で番号を確かめてください。',
  approvedBy: '提案した人は承認できません。別の人が承認してください。',
  'approved already': 'すでに承認されています。',
}

export function registerRuleCommands(program: Command, context: HubContext): void {
  const rules = program
    .command('rules')
    .description('受け入れを判断する規則ファイル：見る・提案する・別の人が承認する')
  rules
    .command('show')
    .description('版の履歴。--edition でその版の全文')
    .option('--edition <version>', '全文を出す版')
    .action((options: { edition?: string }) => show(context, options.edition))
  withSecrets(
    rules
      .command('propose <file>')
      .description('新しい規則ファイルを提案する（まだ効力はない。合言葉と確認の番号が要る）'),
  )
    .requiredOption('--by <staff>', '提案する職員の番号')
    .action((file: string, options: Acting) => propose(context, file, options))
  withSecrets(
    rules
      .command('approve <hash>')
      .description('提案された規則ファイルを承認する（提案者とは別の人。合言葉と確認の番号が要る）'),
  )
    .requiredOption('--by <staff>', '承認する職員の番号')
    .action((hash: string, options: Acting) => approve(context, hash, options))
}

interface Acting extends ProofOptions {
  by: string
}

async function show(context: HubContext, edition: string | undefined): Promise<void> {
  const { history, inForce } = await context.withVault(async ({ ops, parts }) => ({
    history: await rulesHistory(ops.db),
    inForce: parts.rulesAt(ops.env.now(), await approvedRules(ops.db)).version,
  }))
  if (edition !== undefined) {
    const one = history.find((v) => v.version === edition)
    if (!one) return context.fail('その版はありません。rules show で確かめてください。')
    return context.tell(JSON.stringify(one.rules, null, 2), one.rules)
  }
  const lines = history.map(
    (v) =>
      `${v.version === inForce ? '＊' : '　'}${v.version}　${v.effectiveFrom}から　${STANDINGS[v.standing]}　` +
      `提案 ${v.proposedBy ?? '—'}　承認 ${v.approvedBy ?? '—'}　${v.hash}`,
  )
  return context.tell(lines.join('\n'), { inForce, history })
}

async function propose(context: HubContext, file: string, options: Acting): Promise<void> {
  const rules = readJson(context, file)
  const done = await sayingWhy(context, () =>
    context.withVault(async (vault) => {
      await proven(context, vault, options, OFFICERS, [options.by])
      return proposeRules(vault.ops, { rules, by: options.by })
    }),
  )
  context.tell(
    `版 ${done.version} を提案しました。まだ効力はありません。\n` +
      `別の人が内容を確かめ、次で承認してください: rules approve ${done.hash} --by <職員の番号>`,
    done,
  )
}

async function approve(context: HubContext, hash: string, options: Acting): Promise<void> {
  const done = await sayingWhy(context, () =>
    context.withVault(async (vault) => {
      await proven(context, vault, options, OFFICERS, [options.by])
      return approveRules(vault.ops, { hash, by: options.by })
    }),
  )
  context.tell(
    `版 ${done.version} を承認しました。${done.effectiveFrom} から、この規則で受け入れを判断します。`,
    done,
  )
}

function readJson(context: HubContext, file: string): unknown {
  try {
    return JSON.parse(readFileSync(resolve(file), 'utf8'))
  } catch {
    return context.fail('ファイルをJSONとして読めません。ファイルの場所と中身を確かめてください。')
  }
}

async function sayingWhy<T>(context: HubContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { code, place = '' } = error.refusal
    if (code === 'REQUEST_MALFORMED')
      return context.fail(
        `規則ファイルの値が足りないか、余分か、法令のガイドより緩い値です: ${place}。直してもう一度提案してください。`,
      )
    return context.fail(WHY[place] ?? '受け付けられません。rules show で状況を確かめてください。')
  }
}
