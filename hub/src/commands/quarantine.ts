import type { Command } from 'commander'
import { inJapanese, isRefusalCode } from '@kakehashi/protocol/refusals'
import { clearQuarantine, inspect, quarantined, type Quarantined } from '../vault/quarantine.ts'
import type { HubContext } from './context.ts'
import { OFFICERS, proven, withSecrets, type ProofOptions } from './proof.ts'

const DAY_MS = 24 * 3600 * 1000

export function registerQuarantineCommands(program: Command, context: HubContext): void {
  program
    .command('quarantine')
    .description('隔離した荷の一覧（--batch で一つを開封せずに調べる）')
    .option('--batch <id>', '荷の番号')
    .action((options: { batch?: string }) => list(context, options.batch))
  withSecrets(
    program
      .command('clear-quarantine')
      .description(
        '隔離した荷の中身を消す（二名の合言葉と理由が要る。荷を受け入れ直す方法はなく、装置が作り直す）',
      ),
  )
    .requiredOption('--batch <id>', '荷の番号')
    .requiredOption('--by <staff>', '一人目の職員の番号')
    .requiredOption('--second <staff>', '二人目の職員の番号')
    .requiredOption('--reason <text>', '理由（個人の情報は書かない）')
    .action((options: ClearOptions) => clear(context, options))
}

interface ClearOptions extends ProofOptions {
  batch: string
  by: string
  second: string
  reason: string
}

function line(one: Quarantined): string {
  const why = isRefusalCode(one.code) ? inJapanese(one.code) : ''
  return `${Math.floor(one.ageMs / DAY_MS)}日  ${one.code}  ${one.agent}  ${one.batch}  ${one.bytes}バイト  ${why}`
}

async function list(context: HubContext, batch: string | undefined): Promise<void> {
  const found = await context.withVault(async ({ ops }) => {
    const all = (await quarantined(ops)).filter((one) => batch === undefined || one.batch === batch)
    if (batch === undefined) return all.map((one) => ({ ...one, header: null }))
    return Promise.all(all.map(async (one) => ({ ...one, header: await inspect(ops, one) })))
  })
  if (found.length === 0)
    return context.tell(batch === undefined ? '隔離した荷はありません。' : 'その荷は隔離されていません。', [])
  const lines = found.flatMap((one) => [
    line(one),
    ...(one.header
      ? [
          `  封筒の表書き（確かめられていない）: 医療機関 ${one.header.facility}、装置 ${one.header.agent}、記録 ${one.header.records}件`,
          `  署名の鍵 ${one.header.signedBy}（${one.header.keyKnown ? '登録されたことのある鍵' : '登録されたことのない鍵'}）`,
        ]
      : []),
  ])
  if (batch !== undefined)
    lines.push('次にすること: 調べ終えたら hub clear-quarantine で中身を消してください。')
  return context.tell(lines.join('\n'), found)
}

async function clear(context: HubContext, options: ClearOptions): Promise<void> {
  const cleared = await context.withVault(async (vault) => {
    const { ops } = vault
    await proven(context, vault, options, OFFICERS, [options.by, options.second])
    const of = (await quarantined(ops)).filter((one) => one.batch === options.batch)
    let n = 0
    for (const { batch, digest } of of)
      if (
        await clearQuarantine(ops, {
          batch,
          digest,
          by: [options.by, options.second],
          reason: options.reason,
        })
      )
        n++
    return n
  })
  if (cleared === 0)
    return context.fail(
      '消せませんでした。荷の番号が正しいこと（hub quarantine）、二名が別の人であること、理由があることを確かめてください。',
    )
  return context.tell('隔離した荷の中身を消しました。あったことの記録は残ります。', {
    cleared: options.batch,
    contents: cleared,
  })
}
