import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { rulesHistory } from '../register/rules-change.ts'
import { using } from './opened.ts'
import { OFFICERS, proven, withPins, type ProofOptions } from './proof.ts'

interface Options extends ProofOptions {
  dir: string
  by: string
  json?: boolean
}

function readRules(file: string): unknown {
  try {
    return JSON.parse(readFileSync(resolve(file), 'utf8'))
  } catch {
    throw new Refused('REQUEST_MALFORMED', `${file}：JSONとして読めません`)
  }
}

const day = (instant: number | null): string =>
  instant === null ? '—' : new Date(instant + 9 * 3600_000).toISOString().slice(0, 16).replace('T', ' ')

const STANDINGS = { 'built-in': '組み込み', proposed: '承認待ち', approved: '承認済み' } as const

async function show(options: Options & { edition?: string }): Promise<void> {
  await using(options.dir, async ({ agent }) => {
    const { context } = agent
    const history = await rulesHistory(context.store.db)
    const inForce = context.rulesAt(context.env.now()).version
    if (options.edition !== undefined) {
      const one = history.find((v) => v.version === options.edition)
      if (!one) throw new Refused('NOT_FOUND', options.edition)
      console.log(JSON.stringify(one.rules, null, 2))
    } else if (options.json) console.log(JSON.stringify({ inForce, history }))
    else
      for (const v of history)
        console.log(
          `${v.version === inForce ? '＊' : '　'}${v.version}　${v.effectiveFrom}から　${STANDINGS[v.standing]}　` +
            `提案 ${v.proposedBy ?? '—'} ${day(v.proposedAt)}　承認 ${v.approvedBy ?? '—'} ${day(v.approvedAt)}　${v.hash}`,
        )
  })
}

async function propose(file: string, options: Options): Promise<void> {
  const rules = readRules(file)
  await using(options.dir, async ({ agent }) => {
    await proven({ agent }, options, OFFICERS, [options.by])
    const done = await agent.register.proposeRules({ rules, by: options.by })
    if (options.json) console.log(JSON.stringify(done))
    else {
      console.log(`版 ${done.version} を提案しました。まだ効力はありません。`)
      console.log(`別の人が内容を確かめ、次で承認してください: rules approve ${done.hash} --by <職員のID>`)
    }
  })
}

async function approve(hash: string, options: Options): Promise<void> {
  await using(options.dir, async ({ agent }) => {
    await proven({ agent }, options, OFFICERS, [options.by])
    const done = await agent.register.approveRules({ hash, by: options.by })
    if (options.json) console.log(JSON.stringify(done))
    else console.log(`版 ${done.version} を承認しました。${done.effectiveFrom} から、この規則で判断します。`)
  })
}

export function rulesCommands(program: Command): void {
  const rules = program
    .command('rules')
    .description('法令上の値の規則ファイル：見る・提案する・別の人が承認する')
  const common = (command: Command): Command =>
    command
      .option('--dir <dir>', 'エージェントの場所', 'agent-data')
      .option('--json', '結果をJSONで出す')
      .exitOverride()
  common(rules.command('show').description('版の履歴。--edition でその版の全文'))
    .option('--edition <version>', '全文を出す版')
    .action(show)
  withPins(
    common(
      rules
        .command('propose <file>')
        .description('新しい規則ファイルを提案する（まだ効力はない。個人情報担当が暗証番号で）'),
    ),
  )
    .requiredOption('--by <id>', '提案する職員のID')
    .action(propose)
  withPins(
    common(
      rules
        .command('approve <hash>')
        .description('提案された規則ファイルを承認する（提案者とは別の個人情報担当が暗証番号で）'),
    ),
  )
    .requiredOption('--by <id>', '承認する職員のID')
    .action(approve)
}
