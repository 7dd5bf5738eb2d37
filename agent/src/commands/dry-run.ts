import { closeSync, openSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { localNumberOf } from '@kakehashi/protocol/ids'
import type { PatientLine } from '../gate/dry-run.ts'
import { EXIT } from './failure.ts'
import { openAgent } from './opened.ts'
import { table } from './tables.ts'

/** The list of persons goes to a file of its own that only its owner reads, never to the screen. */
function listFile(path: string): { each: (line: PatientLine) => void; close: () => void } {
  const file = openSync(resolve(path), 'wx', 0o600)
  return {
    each: ({ patient, code, earliest, records }) =>
      writeSync(
        file,
        `${JSON.stringify({ number: localNumberOf(patient), open: code === null, code, earliest, records })}\n`,
      ),
    close: () => closeSync(file),
  }
}

async function run(options: { dir: string; json?: boolean; patients?: string }): Promise<void> {
  const opened = await openAgent(resolve(options.dir))
  const list = options.patients === undefined ? null : listFile(options.patients)
  try {
    const report = await opened.agent.dryRun(list ? { each: list.each } : {})
    if (!report.reconciles || report.faults.length > 0) process.exitCode = EXIT.wrong
    if (options.json) return console.log(JSON.stringify(report))
    console.log(
      table([
        ['', '患者', '記録', '理由'],
        ['いま送るもの', String(report.open.patients), String(report.open.records), ''],
        ...report.reasons.map((r) => [r.code, String(r.patients), String(r.records), r.sentence]),
        ['合計', String(report.source.patients), String(report.source.records), '電子カルテ側の件数'],
      ]),
    )
    console.log(report.reconciles ? '合計は電子カルテ側の件数と一致します。' : '合計が一致しません。')
    console.log(`規則の版: ${report.ruleVersion}`)
    for (const fault of report.faults) console.log(`読めなかった場所: ${fault.place} ${fault.code}`)
  } finally {
    list?.close()
    await opened.close()
  }
}

export function dryRunCommand(program: Command): void {
  program
    .command('dry-run')
    .description('いま送るとしたら誰のものが送られ、誰のものがなぜ送られないかを数える（何も送らない）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', 'JSONで出す')
    .option('--patients <file>', '患者ごとの一覧を新しいファイルに書く（個人情報。明示したときだけ）')
    .action(run)
}
