import { createWriteStream, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate } from '@kakehashi/protocol/rules/calendar'
import { fromBase64, keyIdOf } from '@kakehashi/protocol/signing'
import { openFolder, writeFolder } from '../evidence/folder.ts'
import { evidenceFiles } from '../evidence/gather.ts'
import type { EvidenceScope } from '../evidence/shape.ts'
import { openZip } from '../evidence/unzip.ts'
import { verifyEvidence } from '../evidence/verify.ts'
import { zipped } from '../evidence/zip.ts'
import { verifyProvisions, type ProvisionsClosing } from '../office/provision-export.ts'
import { patientOfNumber } from '../imports/hand-over.ts'
import { LineRefused } from '../imports/reasons.ts'
import type { AgentContext } from '../context.ts'
import { EXIT } from './failure.ts'
import { keptTexts, using } from './opened.ts'
import { tokyoTime } from './tables.ts'

interface MakeOptions {
  dir: string
  by: string
  out: string
  patient?: string
  from?: string
  to?: string
}

async function scopeOf(context: AgentContext, options: MakeOptions): Promise<EvidenceScope> {
  const { patient, from, to } = options
  if (patient !== undefined && from === undefined && to === undefined) {
    try {
      return { kind: 'person', patient: (await patientOfNumber(context, patient)).patient }
    } catch (error) {
      if (error instanceof LineRefused) throw new Refused('NOT_FOUND', '患者番号')
      throw error
    }
  }
  if (patient !== undefined || !isLocalDate(from) || !isLocalDate(to) || from > to)
    throw new Refused(
      'REQUEST_MALFORMED',
      '--patient か、--from と --to（2026-04-01 のように）を指定してください',
    )
  return { kind: 'period', from, to }
}

async function make(options: MakeOptions): Promise<void> {
  await using(options.dir, async (opened) => {
    const { context } = opened.agent
    const scope = await scopeOf(context, options)
    const files = evidenceFiles(context, { scope, by: options.by, kept: keptTexts(opened) })
    const out = resolve(options.out)
    if (out.endsWith('.zip'))
      await pipeline(Readable.from(zipped(files)), createWriteStream(out, { flags: 'wx', mode: 0o600 }))
    else await writeFolder(out, files)
    console.log(`証拠の書類を作りました: ${out}（個人情報です。保管に注意してください）`)
    console.log(`確かめ方: agent evidence verify ${options.out}`)
  })
}

interface VerifyOptions {
  key?: string
  vaultKey?: string
  json?: boolean
}

const keyOf = (text: string | undefined) => (text === undefined ? null : fromBase64(text.trim()))

/** Needs no installed agent: files and a public key. */
function verify(place: string, options: VerifyOptions): void {
  const at = resolve(place)
  const folder = statSync(at).isDirectory()
  const bytes = folder ? null : readFileSync(at)
  if (bytes && !isZip(bytes)) return verifyProvided(bytes.toString('utf8'), options)
  const opened = bytes ? openZip(bytes) : openFolder(at)
  const key = keyOf(options.key)
  const report = verifyEvidence(opened, key, keyOf(options.vaultKey))
  if (!report.ok) process.exitCode = EXIT.wrong
  if (options.json) return console.log(JSON.stringify(report))
  const { manifest } = report
  if (manifest) {
    const id = keyIdOf(fromBase64(manifest.publicKey))
    console.log(
      `医療機関 ${manifest.facility}  エージェント ${manifest.agent}  鍵の指紋 ${(id.match(/.{4}/g) ?? []).join(' ')}`,
    )
  }
  console.log(
    `ファイル ${report.files}  登録簿の記録 ${report.events}  文面 ${report.texts}  監査記録 ${report.leaves}  判断 ${report.decisions}  提供 ${report.provisions}  受領証 ${report.receipts}`,
  )
  for (const { what, where } of report.problems) console.log(`  ${what} ${where}`)
  if (!report.ok) console.log('書き換えられているか、欠けています。認定事業者に知らせてください。')
  else if (key) console.log('すべて正しいことを確かめました。')
  else
    console.log(
      '書類のなかに食い違いはありません。だれの書類かは、鍵の指紋を認定事業者の控えと比べて確かめてください（--key）。',
    )
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b
}

/** The signed file of records of provision (Art. 54), as the office's page saves it. */
function verifyProvided(text: string, options: VerifyOptions): void {
  const key = keyOf(options.key)
  if (!key)
    throw new Refused(
      'REQUEST_MALFORMED',
      '提供の記録を確かめるには、エージェントの公開鍵（--key、認定事業者の控え）が要ります',
    )
  const closing = verifyProvisions(text, key)
  if (!closing) process.exitCode = EXIT.wrong
  if (options.json) return console.log(JSON.stringify({ ok: closing !== null, closing }))
  for (const line of provisionsInWords(closing)) console.log(line)
}

export function provisionsInWords(closing: ProvisionsClosing | null): string[] {
  if (!closing)
    return [
      '提供の記録は確かめられません。書き換えられているか、欠けているか、別の鍵で署名されています。',
      '認定事業者に知らせてください。',
    ]
  const { facility, agent, from, to, madeAt, lines } = closing
  return [
    `医療機関 ${facility}  エージェント ${agent}  期間 ${from} から ${to}  作成 ${tokyoTime(madeAt)}`,
    `提供 ${lines}件。署名したときのままであることを確かめました。`,
  ]
}

export function evidenceCommands(program: Command): void {
  const all = program.command('evidence').description('監督・開示のための証拠の書類（一人の方、または期間）')
  all
    .command('make')
    .description('通知・停止・書面・提供・受領・規則の版・監査記録の証明を、一つのフォルダーかZIPにまとめる')
    .requiredOption('--by <id>', '作る職員のID')
    .requiredOption('--out <place>', '新しいフォルダー、または .zip で終わる新しいファイル')
    .option('--patient <number>', '一人の方：患者番号')
    .option('--from <date>', '期間：始まりの日')
    .option('--to <date>', '期間：終わりの日')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(make)
  all
    .command('verify <place>')
    .description(
      '書類だけで確かめる（エージェントも鍵も要らない）。提供の記録（第54条）の署名つきファイルは --key と合わせて',
    )
    .option('--key <base64>', 'エージェントの公開鍵（認定事業者の控え）')
    .option('--vault-key <base64>', '認定事業者の受領証の公開鍵')
    .option('--json', '結果をJSONで出す')
    .action(verify)
}
