import type { Command } from 'commander'
import { parsePatientKey, personKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Store } from '@kakehashi/store/store'
import type { HubContext } from '../commands/context.ts'
import { dropBuildsWith } from '../release/erase.ts'
import type { ReleaseTables } from '../release/store.ts'
import type { OpenVault } from '../vault/opening.ts'
import { linkNewRecords } from './flow.ts'
import { answerReview, openReviews, unlink } from './review.ts'
import type { LinkingTables } from './store.ts'

const identityOf = (vault: OpenVault): Store<LinkingTables> =>
  vault.identity as unknown as Store<LinkingTables>

/** `link …`: places new charts, lists and answers reviews, takes a link back. */
export function registerLinkageCommands(program: Command, context: HubContext): void {
  const link = program.command('link').description('名寄せ')
  link
    .command('run', { isDefault: true })
    .description('新しいカルテを名寄せする')
    .action(async () => {
      const linked = await context.withVault((vault) =>
        linkNewRecords(identityOf(vault), undefined, (charts) => vault.release.blocked(charts, 'ANON')),
      )
      context.tell(
        `${linked.placed}件を調べ、${linked.attached}件を同じ人につなぎ、${linked.newPersons}人を新しく登録し、${linked.reviews}件を確認待ちにしました。`,
        linked,
      )
    })
  link
    .command('reviews')
    .description('人の確認を待つ名寄せ')
    .action(async () => {
      const tasks = await context.withVault((vault) => openReviews(identityOf(vault).db))
      context.tell(
        tasks.map((t) => `${t.id}  ${t.reasons.join('、')}  候補${t.persons.length}人`).join('\n') ||
          '確認待ちはありません。',
        tasks.map(({ id, persons, reasons, openedAt }) => ({ id, persons, reasons, openedAt })),
      )
    })
  link
    .command('answer <review>')
    .description('確認に答える: --same <person> は同じ人、--different は別の人')
    .option('--same <person>', '同じ人')
    .option('--different', 'どの候補とも別の人')
    .requiredOption('--by <staff>', '答えた職員')
    .action(async (review: string, o: { same?: string; different?: boolean; by: string }) => {
      if ((o.same === undefined) === (o.different !== true))
        return context.fail('--same か --different のどちらか一方を指定してください。')
      const person = o.same === undefined ? null : personKey(o.same)
      await refusing(context, () =>
        context.withVault((vault) => answerReview(identityOf(vault), review, person, o.by)),
      )
      return context.tell('答えを記録しました。', { review, outcome: person ? 'same' : 'different' })
    })
  link
    .command('unlink')
    .description('つながりを解く（番号は標準入力から。未提供の作成分も破棄する）')
    .requiredOption('--by <staff>', '解いた職員')
    .action(async ({ by }: { by: string }) => {
      const patient = parsePatientKey((await standardInput()).trim())
      const dropped = await refusing(context, () =>
        context.withVault(async (vault) => {
          await unlink(identityOf(vault), patient, by)
          return dropBuildsWith(vault.ops as unknown as Store<ReleaseTables>, [patient], 'unlinked')
        }),
      )
      context.tell(`つながりを解きました。破棄した作成分: ${dropped.releases.length}件`, {
        builds: dropped.releases,
      })
    })
}

async function refusing<T>(context: HubContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Refused)
      return context.fail('見つからないか、すでに答えが出ています。一覧を確認してください。')
    throw error
  }
}

/** A patient number never stands on a command line: it would be in the process list and the shell's history. */
async function standardInput(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
