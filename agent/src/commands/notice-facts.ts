import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { filingId } from '@kakehashi/protocol/ids'
import { NOTICE_LANGUAGES } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate } from '@kakehashi/protocol/rules/calendar'
import type { Track } from '@kakehashi/protocol/rules/state'
import { newestVersion } from '../register/notice-published.ts'
import { facilityStateOf } from '../register/read.ts'
import { using } from './opened.ts'

interface Options {
  dir: string
  by: string
}

function dayOf(text: string): string {
  if (!isLocalDate(text)) throw new Refused('REQUEST_MALFORMED', '日は 2026-04-01 のように書いてください')
  return text
}

async function translate(
  file: string,
  options: Options & { language: string; track?: Track; edition?: string },
): Promise<void> {
  const language = NOTICE_LANGUAGES.find((one) => one === options.language && one !== 'ja')
  if (!language)
    throw new Refused(
      'REQUEST_MALFORMED',
      `言語は ${NOTICE_LANGUAGES.filter((one) => one !== 'ja').join('、')} のどれかです`,
    )
  const text = readFileSync(resolve(file), 'utf8')
  await using(options.dir, async ({ agent, config }) => {
    const track = options.track ?? config.track
    const newest = await newestVersion(agent.context.store.db, track)
    const version = options.edition === undefined ? newest : Number(options.edition)
    const { hash } = await agent.register.translateNotice({ track, version, language, text, by: options.by })
    console.log(`通知書 第${version}版の ${language} の文面を登録しました（以後変わりません）: ${hash}`)
  })
}

async function endFiling(filing: string, options: Options & { on: string }): Promise<void> {
  const endedOn = dayOf(options.on)
  await using(options.dir, async ({ agent }) => {
    const { context, register } = agent
    const state = await facilityStateOf(context.store.db, context.facility)
    const known = state?.filings.find((one) => one.filing === filing)
    if (!known) throw new Refused('NOT_FOUND', '届出')
    await register.endFiling({ filing: filingId(filing), endedOn, by: options.by })
    console.log(`届出 ${filing} の終了（${endedOn}）を記録しました。その日から、この届出では提供しません。`)
  })
}

async function endScheme(options: Options & { on: string }): Promise<void> {
  const endedOn = dayOf(options.on)
  await using(options.dir, async ({ agent }) => {
    const { context, register } = agent
    const state = await facilityStateOf(context.store.db, context.facility)
    if (!state) throw new Refused('NOT_FOUND', '法人の記録')
    const { waitDays, deathPolicy, closedDays } = state
    await register.setFacility({ waitDays, deathPolicy, closedDays, endedOn, by: options.by })
    console.log(
      `提供の終了（${endedOn}）を記録しました。その日から何も送りません。\n次にすること: 終了を届け出て（agent filing-sheet）、通知した方に知らせてください（管理の画面の一覧）。`,
    )
  })
}

/** What the privacy officer tells the register of the notice and its filing, beyond the facility's file. */
export function noticeFactCommands(program: Command): void {
  const common = (command: Command) =>
    command
      .requiredOption('--by <id>', '登録する職員のID')
      .option('--dir <dir>', 'エージェントの場所', 'agent-data')
  common(program.command('notice-text <file>'))
    .description('公開した通知書の、ほかの言語の文面を登録する（窓口と窓口サイトで使う。以後変わらない）')
    .requiredOption('--language <code>', '言語（en、zh-Hans、ja-easy など）')
    .option('--track <track>', 'ANON（匿名加工）か PSEUDO（仮名加工）')
    .option('--edition <n>', '通知書の版（省くと最新）')
    .action(translate)
  common(program.command('filing-end <filing>'))
    .description('届出の終了を記録する')
    .requiredOption('--on <date>', '終了の日')
    .action(endFiling)
  common(program.command('end-scheme'))
    .description('この病院が提供をやめることを記録する（その日から何も送らない）')
    .requiredOption('--on <date>', '提供を終える日')
    .action(endScheme)
}
