import type { Command } from 'commander'
import { facilityId } from '@kakehashi/protocol/ids'
import { offerEnrolment, retireAgent } from '../vault/enrolment.ts'
import type { HubContext } from './context.ts'
import { OFFICERS, provenOnceKnown, withSecrets, type ProofOptions } from './proof.ts'

const HOURS_DEFAULT = 48

export function registerEnrolCommands(program: Command, context: HubContext): void {
  program
    .command('enroll')
    .description('医療機関の装置を登録する一回限りの符号を作る')
    .requiredOption('--facility <id>', '医療機関の番号')
    .option('--hours <n>', '符号の有効時間', String(HOURS_DEFAULT))
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action(async (options: { facility: string; hours: string; by: string }) => {
      const facility = facilityId(options.facility)
      const hours = Number(options.hours)
      if (!(hours > 0)) context.fail('有効時間は正の数で指定してください。')
      const offer = await context.withVault((vault) =>
        offerEnrolment(vault.ops, { facility, by: options.by, hours }),
      )
      const until = new Date(offer.expiresAt).toLocaleString('ja-JP', { timeZone: 'Asia/Tokyo' })
      context.tell(
        [
          `登録符号: ${offer.code}`,
          `医療機関: ${facility}　有効期限: ${until}（日本時間）。一度だけ使えます。`,
          '次にすること: 符号を電話または手渡しで伝え、装置側で agent init を実行してもらってください。',
          '登録が済んだら、装置に表示された指紋（16桁）を電話で読み上げてもらい、hub agents の表示と一致することを確かめてください。',
          '一致しないときは hub retire --agent で直ちに取り消してください。',
        ].join('\n'),
        { ...offer, facility },
      )
    })
  program
    .command('agents')
    .description('登録済みの装置と指紋の一覧')
    .action(async () => {
      const rows = await context.withVault((vault) =>
        vault.ops.db
          .selectFrom('agent as a')
          .innerJoin('agent_key as k', 'k.agent', 'a.agent')
          .select(['a.agent', 'a.facility', 'k.key_id', 'a.enrolled_at', 'a.last_heard_at', 'k.retired_at'])
          .orderBy('a.facility')
          .execute(),
      )
      const grouped = (id: string): string => (id.match(/.{4}/g) ?? []).join(' ')
      const lines = rows.map(
        (row) =>
          `${row.facility}  ${row.agent}  指紋 ${grouped(row.key_id)}${row.retired_at === null ? '' : '（失効）'}`,
      )
      context.tell(lines.length === 0 ? '登録された装置はまだありません。' : lines.join('\n'), rows)
    })
  withSecrets(program.command('retire').description('装置の鍵を失効させる'))
    .requiredOption('--agent <id>', '装置の番号')
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action(async (options: ProofOptions & { agent: string; by: string }) => {
      await context.withVault(async (vault) => {
        await provenOnceKnown(context, vault, options, OFFICERS, options.by)
        await retireAgent(vault.ops, options.agent, options.by)
      })
      context.tell('鍵を失効させました。以後この装置からの荷は受け入れません。', { retired: options.agent })
    })
}
