import type { Command } from 'commander'
import { patientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate, startOfDay } from '@kakehashi/protocol/rules/calendar'
import { using } from './opened.ts'
import { proven, TWO_PEOPLE, withPins, type ProofOptions } from './proof.ts'

interface NoticeOptions extends ProofOptions {
  dir: string
  patient: string[]
  by: string
  delivered?: string
  approvedBy?: string
  evidence?: string
  guardian?: boolean
  token?: boolean
}

/** Noon: inside the named day whatever the clock's seconds. */
function noonOf(date: string): number {
  if (!isLocalDate(date)) throw new Refused('REQUEST_MALFORMED', 'delivered')
  return startOfDay(date) + 12 * 3600_000
}

async function notice(options: NoticeOptions): Promise<void> {
  await using(options.dir, async (opened) => {
    const { register, context } = opened.agent
    if (options.approvedBy !== undefined)
      await proven(opened, options, TWO_PEOPLE, [options.by, options.approvedBy])
    for (const number of options.patient) {
      const done = await register.recordNotice({
        patient: patientKey(context.facility, number),
        by: options.by,
        recipients: options.guardian ? ['person', 'guardian'] : ['person'],
        withToken: options.token === true,
        ...(options.delivered === undefined ? {} : { deliveredAt: noonOf(options.delivered) }),
        ...(options.approvedBy === undefined ? {} : { approvedBy: options.approvedBy }),
        ...(options.evidence === undefined ? {} : { evidence: options.evidence }),
      })
      console.log(
        JSON.stringify({ notices: done.notices, datedAsAsked: done.datedAsAsked, token: done.token }),
      )
    }
  })
}

async function stop(options: { dir: string; patient: string; by: string; erase?: boolean }): Promise<void> {
  await using(options.dir, async (opened) => {
    const { register, context } = opened.agent
    const done = await register.recordStop({
      patient: patientKey(context.facility, options.patient),
      by: options.by,
      erasureAsked: options.erase === true,
    })
    console.log(JSON.stringify({ stop: done.stop, slip: done.slip, dropped: done.dropped, sent: done.sent }))
  })
}

export function deskCommands(program: Command): void {
  withPins(
    program
      .command('notice')
      .description(
        'お知らせを渡したことを登録する（窓口の画面が使えないときや一括登録のとき。過去の日付は二人が暗証番号で）',
      ),
  )
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .requiredOption('--patient <number...>', '患者番号')
    .requiredOption('--by <id>', '登録する職員のID')
    .option('--delivered <date>', '渡した日（今日より前なら承認者と証拠が要る）')
    .option('--approved-by <id>', '過去の日付を承認した別の職員のID')
    .option('--evidence <text>', '過去の日付の証拠（控えの番号など）')
    .option('--guardian', '保護者等にも渡した')
    .option('--token', '用紙に印刷する停止用の番号を発行する')
    .action(notice)
  program
    .command('stop')
    .description('提供停止の求めを登録する（すぐに効く）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .requiredOption('--patient <number>', '患者番号')
    .requiredOption('--by <id>', '受け付けた職員のID')
    .option('--erase', '提供済みの分の削除も求めている')
    .action(stop)
}
