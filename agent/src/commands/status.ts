import type { Command } from 'commander'
import type { AgentStatus } from '../status.ts'
import { using } from './opened.ts'
import { table, tokyoTime } from './tables.ts'

async function status(options: { dir: string; json?: boolean }): Promise<void> {
  await using(options.dir, async (opened) => {
    const s = await opened.agent.status()
    if (options.json) return console.log(JSON.stringify(s))
    console.log(
      table([
        ['読むべき変更のある患者', String(s.toRead)],
        ['送付待ちの封筒', String(s.batches.queued + s.batches.claimed)],
        ['送付中', String(s.batches['in-flight'])],
        ['窓口に到着（受領証待ち）', String(s.batches['at-gateway'])],
        ['受領証あり', String(s.batches.done)],
        ['送る前に取りやめ', String(s.batches.dropped)],
        ['最も古い未了の封筒', tokyoTime(s.oldestWaitingAt)],
        ['送った記録', String(s.recordsSent)],
        ['未送信の連絡', String(s.unsentControl)],
        ['認定事業者の確認待ちの連絡', String(s.unansweredControl)],
        ['確認待ちの停止の求めで最も古いもの', tokyoTime(s.oldestUnansweredStopAt)],
        ['未交付の書面', String(s.openSlips)],
        ...restoredRows(s.restored),
        ...s.refusals.map(({ code, n }) => [`受領されなかった記録 ${code}`, String(n)]),
      ]),
    )
  })
}

function restoredRows(restored: AgentStatus['restored']): [string, string][] {
  if (!restored) return []
  const rows: [string, string][] = [
    [
      '控えから戻した・鍵を替えた',
      restored.openedAt === null
        ? `${tokyoTime(restored.restoredAt)}：停止の一覧を待っています（何も送りません）`
        : restored.recordsAwaited
          ? `${tokyoTime(restored.restoredAt)}：停止の一覧を受け取りました。提供済みの記録の一覧を待っています（何も送りません）`
          : `${tokyoTime(restored.restoredAt)}：停止の一覧を受け取りました`,
    ],
  ]
  if (restored.missingLeaves)
    rows.push([
      '控えの後の登録で失われたもの',
      `監査記録 ${restored.missingLeaves} 件分（紙と照らしてください）`,
    ])
  return rows
}

export function statusCommand(program: Command): void {
  program
    .command('status')
    .description('いまの状態を件数で示す（患者の名前は出さない）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', 'JSONで出す')
    .action(status)
}
