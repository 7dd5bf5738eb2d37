import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { NOTICE_LANGUAGES } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import { decodeText } from '../imports/encoding.ts'
import { printPapers, SHEETS_MAX, voidPaper, voidRun, type Sheet } from '../papers/flow.ts'
import { numbersIn, patientsOf } from '../papers/numbers.ts'
import { sheetsDocument } from '../papers/pages/document.ts'
import { publishedVersions } from '../papers/texts.ts'
import { P } from '../papers/words.ja.ts'
import { readPatient } from '../patients/store.ts'
import { facilityStateOf } from '../register/read.ts'
import { keptTexts, using } from './opened.ts'

interface PrintOptions {
  dir: string
  by: string
  out: string
  language: string
  repeat?: boolean
}

/** Tomorrow's appointments in the evening: one file to open in a browser and print, readable by its owner only. */
async function print(file: string, options: PrintOptions): Promise<void> {
  await using(options.dir, async (opened) => {
    const { agent, config } = opened
    const { context } = agent
    const language = NOTICE_LANGUAGES.find((one) => one === options.language)
    const text = decodeText(readFileSync(resolve(file)))
    if (text === null || language === undefined)
      throw new Refused('REQUEST_MALFORMED', '文字コードか、ことば')
    const versions = await publishedVersions(context.store.db, context.track, keptTexts(opened))
    const published = versions.find((one) => one.texts.has(language))
    if (!published) throw new Refused('NOT_FOUND', P.noText)
    const numbers = numbersIn(text)
    if (numbers.length > SHEETS_MAX) throw new Refused('REQUEST_MALFORMED', P.printTooMany)
    const out = openSync(resolve(options.out), 'wx', 0o600)
    const report = await printPapers(context, {
      patients: await patientsOf(context, numbers),
      published,
      language,
      kind: 'notice',
      by: options.by,
      repeat: options.repeat === true,
    })
    const facility = await facilityStateOf(context.store.db, context.facility)
    const bearers = new Map<Sheet, string>()
    for (const sheet of report.sheets) {
      const person = await readPatient(context.store.db, sheet.patient)
      const name = person?.kanji.reveal() || person?.kana.reveal()
      if (person && name) bearers.set(sheet, P.bearer(name, person.number))
    }
    writeSync(
      out,
      sheetsDocument(report.sheets, {
        portal: config.portalAddress?.replace(/\/+$/, '') ?? null,
        phone: config.operatorPhone,
        facilityName: config.facilityName,
        entity: facility?.entity ?? null,
        now: context.env.now(),
        bearerOf: (sheet) => bearers.get(sheet) ?? null,
      }),
    )
    closeSync(out)
    console.log(`${report.sheets.length}枚を書き出しました: ${resolve(options.out)}`)
    console.log('氏名と停止のための番号が入っています。印刷したら、このファイルを消してください。')
    for (const { number, why } of report.left) console.log(`印刷しなかった方 ${number}: ${P.leftWhy[why]}`)
    console.log(`取り消すとき: agent papers void ${report.run} --by <職員のID>`)
  })
}

async function undo(which: string, options: { dir: string; by: string }): Promise<void> {
  await using(options.dir, async (opened) => {
    const { context } = opened.agent
    if (which.startsWith('P-')) await voidPaper(context, { paper: which, by: options.by })
    const voided = which.startsWith('P-') ? 1 : await voidRun(context, { run: which, by: options.by })
    console.log(P.runVoided(voided))
  })
}

export function papersCommands(program: Command): void {
  const all = program.command('papers').description('通知書をまえもって印刷する')
  all
    .command('print <list>')
    .description('患者番号の一覧（あすの予約のCSVなど）から、一人ずつの番号の入った通知書を作る')
    .requiredOption('--by <id>', '印刷する職員のID')
    .requiredOption('--out <file>', '新しいHTMLファイル（ブラウザーで開いて印刷する）')
    .option('--language <code>', `ことば（${NOTICE_LANGUAGES.join('、')}）`, 'ja')
    .option('--repeat', 'この版をもう通知した方の分も印刷する')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(print)
  all
    .command('void <paper-or-run>')
    .description('刷り損じた用紙（P-…）、または一回の印刷の残りを取り消す')
    .requiredOption('--by <id>', '取り消す職員のID')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(undo)
}
