import type { Command } from 'commander'
import { clearIncident } from '../vault/incident.ts'
import { hubStatus, statusLines } from '../vault/status.ts'
import type { HubContext } from './context.ts'
import { OFFICERS, proven, provenOnceKnown, withSecrets, type ProofOptions } from './proof.ts'

export function registerOversightCommands(program: Command, context: HubContext): void {
  program
    .command('status')
    .description('受け入れ・停止・削除・事故の現在の状況')
    .action(async () => {
      const status = await context.withVault((vault) => hubStatus(vault.ops))
      context.tell(statusLines(status).join('\n'), status)
    })
  program
    .command('incidents')
    .description('未解決の事故の一覧')
    .action(async () => {
      const rows = await context.withVault((vault) =>
        vault.ops.db
          .selectFrom('incident')
          .selectAll()
          .where('cleared_at', 'is', null)
          .orderBy('severity')
          .orderBy('opened_at')
          .execute(),
      )
      const lines = rows.map(
        (row) => `重大度${row.severity}  ${row.kind}  ${row.facility ?? ''}  ${row.incident}  ${row.detail}`,
      )
      context.tell(lines.length === 0 ? '未解決の事故はありません。' : lines.join('\n'), rows)
    })
  withSecrets(
    program
      .command('clear-incident')
      .description('事故を解決済みにする（二名の合言葉と理由が要る。停止していた受け入れを再開する）'),
  )
    .requiredOption('--incident <id>', '事故の番号')
    .requiredOption('--by <staff>', '一人目の職員の番号')
    .requiredOption('--second <staff>', '二人目の職員の番号')
    .requiredOption('--reason <text>', '理由（個人の情報は書かない）')
    .action(async (options: ClearOptions) => {
      const done = await context.withVault(async (vault) => {
        await proven(context, vault, options, OFFICERS, [options.by, options.second])
        return clearIncident(vault.ops, {
          incident: options.incident,
          by: [options.by, options.second],
          reason: options.reason,
        })
      })
      if (!done)
        return context.fail(
          '解決済みにできませんでした。番号が正しく未解決であること、二名が別の人であること、理由があることを確かめてください。',
        )
      return context.tell('解決済みにしました。', { cleared: options.incident })
    })
  withSecrets(
    program
      .command('certification')
      .description('自らの認定の状況を変える（すべての装置へ署名して知らせる）'),
  )
    .requiredOption('--standing <word>', 'certified, revoked, ended')
    .option('--tracks <list>', '区分をコンマ区切りで: ANON,PSEUDO', 'ANON')
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action((options: CertificationOptions) => certification(context, options))
}

interface ClearOptions extends ProofOptions {
  incident: string
  by: string
  second: string
  reason: string
}

interface CertificationOptions extends ProofOptions {
  standing: string
  tracks: string
  by: string
}

async function certification(context: HubContext, options: CertificationOptions): Promise<void> {
  const tracks = options.tracks.split(',').filter((track) => track === 'ANON' || track === 'PSEUDO')
  if (!['certified', 'revoked', 'ended'].includes(options.standing))
    return context.fail('--standing は certified, revoked, ended のどれかです。')
  await context.withVault(async ({ ops, parts }) => {
    await provenOnceKnown(context, { ops, parts }, options, OFFICERS, options.by)
    await ops.transact(
      { act: 'operator.changed', actor: options.by, detail: { standing: options.standing } },
      async (tx) => {
        await tx
          .updateTable('operator_status')
          .set({
            standing: options.standing,
            tracks: JSON.stringify(tracks),
            changed_at: parts.env.now(),
          })
          .execute()
        await tx.deleteFrom('cursor').where('name', '=', 'status-said').execute()
      },
    )
  })
  return context.tell('変更しました。次の巡回ですべての装置へ知らせます。', {
    standing: options.standing,
    tracks,
  })
}
