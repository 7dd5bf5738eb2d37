import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { importAdt } from '../imports/adt.ts'
import { CSV_BYTES_MAX } from '../imports/csv.ts'
import { listenForAdt } from '../imports/listener.ts'
import { readMapping, type Mapping } from '../imports/mapping.ts'
import { importNotices } from '../imports/notices.ts'
import { LINE_REASONS, type LineReason } from '../imports/reasons.ts'
import { recentRuns } from '../imports/store.ts'
import { undoImport } from '../imports/undo.ts'
import { EXIT } from './failure.ts'
import { openAgent, using } from './opened.ts'
import { proven, TWO_PEOPLE, withPins, type ProofOptions } from './proof.ts'
import { table, tokyoTime } from './tables.ts'

const REFUSED_SHOWN_MAX = 100
const RUNS_SHOWN_MAX = 50

interface ImportOptions extends ProofOptions {
  dir: string
  by: string
  mapping?: string
  approvedBy?: string
  dryRun?: boolean
  again?: boolean
  json?: boolean
  refused?: string
}

function mappingOf(options: { mapping?: string }): Mapping {
  return readMapping(options.mapping === undefined ? null : readFileSync(resolve(options.mapping), 'utf8'))
}

function bytesOf(file: string): Uint8Array {
  if (statSync(resolve(file)).size > CSV_BYTES_MAX)
    throw new Refused('REQUEST_MALFORMED', 'ファイルが64MBを超えています')
  return readFileSync(resolve(file))
}

/** Lines that were not taken: by number and reason, never by what stands in them. */
function tellRefused(refused: readonly { line: number; reason: LineReason }[], file?: string): void {
  const said = refused.map(({ line, reason }) => `${line}行目 [${reason}] ${LINE_REASONS[reason]}`)
  for (const one of said.slice(0, REFUSED_SHOWN_MAX)) console.log(one)
  if (said.length > REFUSED_SHOWN_MAX) console.log(`ほか ${said.length - REFUSED_SHOWN_MAX} 行`)
  if (file === undefined) return
  const out = openSync(resolve(file), 'wx', 0o600)
  writeSync(out, `${said.join('\n')}\n`)
  closeSync(out)
}

async function notices(file: string, options: ImportOptions): Promise<void> {
  await using(options.dir, async ({ agent }) => {
    if (options.approvedBy !== undefined)
      await proven({ agent }, options, TWO_PEOPLE, [options.by, options.approvedBy])
    const report = await importNotices(agent, {
      bytes: bytesOf(file),
      mapping: mappingOf(options),
      by: options.by,
      dryRun: options.dryRun === true,
      again: options.again === true,
      ...(options.approvedBy === undefined ? {} : { approvedBy: options.approvedBy }),
    })
    if (report.refused.length > 0) process.exitCode = EXIT.wrong
    if (options.json) return console.log(JSON.stringify({ dryRun: options.dryRun === true, ...report }))
    console.log(
      table([
        [options.dryRun ? '取り込むとしたら（何も記録していません）' : '取り込みました', '行'],
        ['読んだ行', String(report.lines)],
        ['新しく記録', String(report.recorded)],
        ['　うち窓口の確認待ち（機械の印刷）', String(report.pending)],
        ['　うち過去の日付に承認がなく、今日の日付で記録', String(report.datedNow)],
        ['確認済みにした', String(report.confirmed)],
        ['取り消した', String(report.cancelled)],
        ['すでに取り込み済み', String(report.known)],
        ['取り込めない', String(report.refused.length)],
      ]),
    )
    tellRefused(report.refused, options.refused)
    if (report.run !== null) console.log(`取り消すとき: agent import undo ${report.run} --by <職員のID>`)
  })
}

async function adt(file: string | undefined, options: ImportOptions & { listen?: string }): Promise<void> {
  if ((file === undefined) === (options.listen === undefined))
    throw new Refused('REQUEST_MALFORMED', 'ファイルか --listen のどちらかを指定してください')
  const mapping = mappingOf(options)
  if (options.listen !== undefined) return listen(options.listen, mapping, options)
  await using(options.dir, async ({ agent }) => {
    const bytes = bytesOf(file ?? '')
    const report = await importAdt(agent, { bytes, mapping, by: options.by, dryRun: options.dryRun === true })
    if (report.refused.length > 0) process.exitCode = EXIT.wrong
    if (options.json) return console.log(JSON.stringify({ dryRun: options.dryRun === true, ...report }))
    console.log(
      table([
        [options.dryRun ? '取り込むとしたら（何も記録していません）' : '取り込みました', '電文'],
        ['読んだ電文', String(report.messages)],
        ['新しく記録', String(report.recorded)],
        ['確認済みにした', String(report.confirmed)],
        ['受診の取り消し', String(report.cancelled)],
        ['すでに取り込み済み', String(report.known)],
        ['通知と関係のない電文', String(report.other)],
        ['取り込めない', String(report.refused.length)],
      ]),
    )
    tellRefused(report.refused, options.refused)
  })
}

async function listen(at: string, mapping: Mapping, options: ImportOptions): Promise<void> {
  const read = /^(?:([0-9A-Za-z.-]+|\[[0-9a-fA-F:]+\]):)?(\d{1,5})$/.exec(at)
  const port = Number(read?.[2] ?? Number.NaN)
  if (!read || port > 65535)
    throw new Refused('REQUEST_MALFORMED', '待ち受けは 127.0.0.1:2575 のように書いてください')
  const opened = await openAgent(resolve(options.dir), { log: true })
  try {
    const host = (read[1] ?? '127.0.0.1').replaceAll(/[[\]]/g, '')
    const mllp = await listenForAdt(opened.agent, { mapping, by: options.by, host, port })
    process.stdout.write(`${JSON.stringify({ event: 'adt.listening', host, port: mllp.port })}\n`)
    await new Promise<void>((stop) => {
      process.once('SIGINT', () => stop())
      process.once('SIGTERM', () => stop())
    })
    await mllp.close()
  } finally {
    await opened.close()
  }
}

async function undo(run: string, options: { dir: string; by: string }): Promise<void> {
  await using(options.dir, async ({ agent }) => {
    const { voided } = await undoImport(agent, { run, by: options.by })
    console.log(`取り込みを取り消しました。取り消した通知: ${voided} 件（取り消した記録も残ります）`)
  })
}

async function list(options: { dir: string; json?: boolean }): Promise<void> {
  await using(options.dir, async ({ agent }) => {
    const runs = await recentRuns(agent.context.store.db, RUNS_SHOWN_MAX)
    if (options.json) return console.log(JSON.stringify(runs))
    const rows = runs.map((one) => [
      tokyoTime(one.startedAt),
      one.kind === 'csv' ? 'CSV' : 'HL7 ADT',
      one.source,
      String(one.entries),
      one.undoneAt === null ? '' : `取り消し ${tokyoTime(one.undoneAt)}`,
      one.run,
    ])
    console.log(table([['日時', '種類', '機械', '件数', '', '取り込みの番号'], ...rows]))
  })
}

export function importCommands(program: Command): void {
  const all = program
    .command('import')
    .description(
      '発券機や電子カルテの「通知書を渡した」記録を取り込む（同じものを二度取り込んでも変わらない）',
    )
  const common = (command: Command) =>
    command
      .requiredOption('--by <id>', '取り込む職員のID')
      .option('--mapping <file>', '列の名前や値の対応表（JSON）')
      .option('--dry-run', '何が起きるかを数えるだけで、何も記録しない')
      .option('--refused <file>', '取り込めない行の一覧を新しいファイルに書く')
      .option('--dir <dir>', 'エージェントの場所', 'agent-data')
      .option('--json', '結果をJSONで出す')
  withPins(common(all.command('notices <file>')))
    .description('CSV（UTF-8 か Shift_JIS）から取り込む。機械の印刷は、職員が確かめるまで数えない')
    .option(
      '--approved-by <id>',
      '過去の日付を承認した別の職員のID（二人の暗証番号が要る。なければ今日の日付で数える）',
    )
    .option('--again', '一度取り消した取り込みの行を、あらためて取り込む')
    .action(notices)
  common(all.command('adt [file]'))
    .description('HL7 v2 の ADT から取り込む。受診の取り消し（A11・A38）は通知も取り消す')
    .option('--listen <address>', 'ファイルの代わりに MLLP で待ち受ける（127.0.0.1:2575 など）')
    .action(adt)
  all
    .command('undo <run>')
    .description('一回の取り込みを、新しい記録として取り消す')
    .requiredOption('--by <id>', '取り消す職員のID')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(undo)
  all
    .command('list')
    .description('最近の取り込み')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', 'JSONで出す')
    .action(list)
}
