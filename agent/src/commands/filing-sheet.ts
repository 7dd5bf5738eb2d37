import type { Command } from 'commander'
import type { Track } from '@kakehashi/protocol/rules/state'
import { filingSheetOf } from '../register/filing-sheet.ts'
import { officeTasks } from '../register/office.ts'
import { using } from './opened.ts'

interface Options {
  dir: string
  track?: Track
  edition?: string
  json?: boolean
}

async function sheet(options: Options): Promise<void> {
  await using(options.dir, async (opened) => {
    const made = await filingSheetOf(opened.agent.context, {
      track: options.track ?? opened.config.track,
      ...(options.edition === undefined ? {} : { version: Number(options.edition) }),
    })
    console.log(options.json ? JSON.stringify(made) : made.text)
  })
}

const TASKS = {
  publish: '新しい版の通知書を公開する',
  file: '主務大臣に届け出る',
  notify: '患者さんに通知する',
  'file-end': '提供の終了を届け出る',
} as const

async function tasks(options: { dir: string; json?: boolean }): Promise<void> {
  await using(options.dir, async (opened) => {
    const open = await officeTasks(opened.agent.context)
    if (options.json) console.log(JSON.stringify(open))
    else if (open.length === 0) console.log('通知書と届出について、することはありません。')
    else
      for (const task of open)
        console.log(
          `${task.overdue ? '期限切れ' : '　　　　'}　${task.by}まで　${task.track} 第${task.version}版　${TASKS[task.task]}` +
            (task.items.length > 0 ? `（項目 ${task.items.join('・')}）` : ''),
        )
  })
}

export function filingCommands(program: Command): void {
  program
    .command('filing-sheet')
    .description('届出書を、公開した通知書から作って出す')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--track <track>', 'ANON（匿名加工）か PSEUDO（仮名加工）')
    .option('--edition <n>', '通知書の版（省くと最新）')
    .option('--json', '結果をJSONで出す')
    .action(sheet)
  program
    .command('tasks')
    .description('通知書と届出について、することと期限')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', '結果をJSONで出す')
    .action(tasks)
}
