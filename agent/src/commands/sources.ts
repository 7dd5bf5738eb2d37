import type { Command } from 'commander'
import { Refused, storedInJapanese } from '@kakehashi/protocol/refusals'
import type { Store } from '@kakehashi/store/store'
import { acceptOlder } from '../sources/regressed.ts'
import { ledgerCounts, quarantined, type SourcesTables } from '../sources/store.ts'
import { confirmDeletions, heldDeletions } from '../sources/sweep.ts'
import { using } from './opened.ts'
import { readSourcesCommands } from './read-sources.ts'
import { sourceKeysCommands } from './source-keys.ts'
import { table, tokyoTime } from './tables.ts'

const QUARANTINED_SHOWN_MAX = 50
const STATES: Record<string, string> = { active: '読める', held: '保留', gone: '元にない' }

async function show(options: { dir: string; json?: boolean }): Promise<void> {
  await using(options.dir, async (opened) => {
    const store = opened.agent.context.store as unknown as Store<SourcesTables>
    const [records, broken, deletions] = [
      await ledgerCounts(store.db),
      await quarantined(store.db, QUARANTINED_SHOWN_MAX),
      await heldDeletions(store),
    ]
    if (options.json) return console.log(JSON.stringify({ records, quarantined: broken, deletions }))
    const rows = records.map((one) => [
      one.source,
      one.type,
      STATES[one.state] ?? one.state,
      String(one.records),
      one.code === null ? '' : storedInJapanese(one.code),
    ])
    console.log(table([['電子カルテ', '種類', '状態', '件数', '理由'], ...rows]))
    if (broken.length > 0) console.log('\n読めなかった行（最後に読んだとき）')
    if (broken.length > 0)
      console.log(table(broken.map((one) => [one.source, one.place, storedInJapanese(one.code)])))
    for (const { source, type, missing, total, at } of deletions)
      console.log(
        `\n${tokyoTime(at)} から、${source} の ${type} が ${total} 件中 ${missing} 件見当たりません。多いため、削除として扱わずに待っています。\n` +
          `次にすること: 書き出しの漏れでないか確かめ、本当に削除したものなら agent sources confirm-deletions ${source} ${type} --by <職員のID>`,
      )
  })
}

async function confirm(source: string, type: string, options: { dir: string; by: string }): Promise<void> {
  await using(options.dir, async (opened) => {
    const store = opened.agent.context.store as unknown as Store<SourcesTables>
    if (!(await confirmDeletions(store, { source, type, by: options.by })))
      throw new Refused('NOT_FOUND', `${source} ${type}`)
    console.log('次の読み取りで、確かめた件数までを削除として扱います。')
  })
}

async function accept(source: string, options: { dir: string; by: string }): Promise<void> {
  await using(options.dir, async (opened) => {
    const store = opened.agent.context.store as unknown as Store<SourcesTables>
    const records = await acceptOlder(store, { source, by: options.by })
    if (records === 0) throw new Refused('NOT_FOUND', source)
    console.log(
      `${records}件を、いまの電子カルテの内容で扱います。通知などの条件がそろっていれば、次に送ります。`,
    )
  })
}

export function sourcesCommand(program: Command): void {
  const sources = program
    .command('sources')
    .description('電子カルテから読めたもの、読めなかったもの、確かめを待つ削除')
  sources
    .command('show', { isDefault: true })
    .description('件数と理由を示す（患者の名前も記録の中身も出さない）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', 'JSONで出す')
    .action(show)
  readSourcesCommands(sources)
  sources
    .command('confirm-deletions <source> <type>')
    .description('一度に多く消えた記録が、本当に削除されたものだと確かめる')
    .requiredOption('--by <id>', '確かめた職員のID')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(confirm)
  sources
    .command('accept-older <source>')
    .description('電子カルテが前より古い内容を示しているとき、それがいまの正しい内容だと確かめる')
    .requiredOption('--by <id>', '確かめた職員のID')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(accept)
  sourceKeysCommands(sources)
}
