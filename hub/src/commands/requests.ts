import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { parsePatientKey, type PatientKey, type StopHandle } from '@kakehashi/protocol/ids'
import { handleOf, readStopToken } from '@kakehashi/protocol/stop-handle'
import { chartHash } from '../requests/charts.ts'
import { finishErasures } from '../requests/erase.ts'
import { askErasure } from '../requests/erasure.ts'
import { stopByStaff } from '../requests/stop.ts'
import { pushOutbox } from '../vault/outbox.ts'
import { Peer } from '../vault/peer.ts'
import type { OpenVault } from '../vault/opening.ts'
import { ROLES } from '../accounts/rules.ts'
import { ROOMS } from '../console/rules.ts'
import type { HubContext } from './context.ts'
import { provenOnceKnown, withSecrets, type ProofOptions } from './proof.ts'

const WAIT_MS = 500

interface StopOptions extends ProofOptions {
  patient?: string[]
  token?: string
  requester: 'person' | 'guardian' | 'family' | 'agent'
  erase?: boolean
  by: string
}

export function registerRequestCommands(program: Command, context: HubContext): void {
  withSecrets(program.command('stop').description('提供停止の求めを受け付ける（その瞬間から受け入れない）'))
    .option('--patient <key...>', '医療機関/患者番号')
    .option('--token <token>', '通知書に印刷された26文字')
    .option('--requester <who>', '求めた人: person, guardian, family, agent', 'person')
    .option('--erase', 'すでに受け取った記録の削除も求められた')
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action((options: StopOptions) => stop(context, options))
  withSecrets(program.command('erase').description('すでに受け取った記録を消し、証明書を作る'))
    .requiredOption('--patient <key...>', '医療機関/患者番号')
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .option('--certificate <file>', '証明書を書き出すファイル')
    .option('--here', '保管庫が動いていないとき、この命令の中で消す')
    .option('--wait <seconds>', '完了を待つ秒数', '60')
    .action((options: EraseOptions) => erase(context, options))
}

async function stop(context: HubContext, options: StopOptions): Promise<void> {
  const handles: StopHandle[] = []
  if (options.token !== undefined) {
    const token = readStopToken(options.token)
    if (token === null)
      return context.fail('通知書の番号が正しくありません。26文字の英数字です。もう一度確かめてください。')
    handles.push(handleOf(token))
  }
  const patients = (options.patient ?? []).map((text) => readPatient(context, text))
  if (handles.length + patients.length === 0)
    return context.fail('--patient か --token のどちらかを指定してください。')
  const said = await context.withVault(async (vault) => {
    // it only protects: whoever of the staff hears it may enter it
    await provenOnceKnown(context, vault, options, ROLES, options.by)
    const stopped = await stopByStaff(vault.parts, {
      patients,
      handles,
      requester: options.requester,
      standing: 'confirmed',
      erasureAsked: options.erase === true,
      by: options.by,
    })
    return { stop: stopped, passedOn: await tryPush(vault) }
  })
  context.tell(
    `停止を登録しました（${said.stop}）。この瞬間から受け入れません。\n${
      said.passedOn
        ? '医療機関の装置への連絡をゲートウェイに渡しました。'
        : '医療機関への連絡は保管庫が次の巡回で送ります。'
    }`,
    said,
  )
}

async function tryPush(vault: OpenVault): Promise<boolean> {
  try {
    await pushOutbox(
      vault.parts,
      new Peer('gateway', vault.parts.gateway, vault.parts.keys.signing, vault.parts.env),
    )
    return true
  } catch {
    return false
  }
}

interface EraseOptions extends ProofOptions {
  patient: string[]
  by: string
  certificate?: string
  here?: boolean
  wait: string
}

async function erase(context: HubContext, options: EraseOptions): Promise<void> {
  const patients = options.patient.map((text) => readPatient(context, text))
  const outcome = await context.withVault(async (vault) => {
    const { parts, ops } = vault
    await provenOnceKnown(context, vault, options, ROOMS.erasing, options.by)
    const first = patients[0]
    const erasure = await ops.transact(
      {
        act: 'erasure.asked',
        actor: options.by,
        ...(first === undefined ? {} : { about: chartHash(parts.keys.tombstone, first) }),
        detail: { charts: patients.length },
      },
      (tx) => askErasure(tx, parts, { patients, by: options.by, stop: null }),
    )
    if (options.here) await finishErasures(parts)
    const certificate = await waitForCertificate(context, vault, erasure, Number(options.wait) * 1000)
    return { erasure, certificate }
  })
  if (outcome.certificate === null)
    return context.tell(
      `削除を受け付けました（${outcome.erasure}）。以後この方の記録は受け入れません。\n保管庫が動いていないため、まだ消えていません。保管庫を起動するか --here を付けてください。`,
      { erasure: outcome.erasure, done: false },
    )
  if (options.certificate !== undefined)
    writeFileSync(options.certificate, outcome.certificate, { mode: 0o600 })
  context.tell(
    `削除しました（${outcome.erasure}）。${options.certificate === undefined ? '' : `\n証明書: ${options.certificate}`}`,
    { erasure: outcome.erasure, done: true, certificate: JSON.parse(outcome.certificate) },
  )
}

async function waitForCertificate(
  context: HubContext,
  vault: OpenVault,
  erasure: string,
  waitMs: number,
): Promise<string | null> {
  for (let waited = 0; ; waited += WAIT_MS) {
    const row = await vault.ops.db
      .selectFrom('erasure')
      .select(['state', 'certificate'])
      .where('erasure', '=', erasure)
      .executeTakeFirst()
    if (row?.state === 'done' && row.certificate?.includes('"signature"')) return row.certificate
    if (waited >= waitMs) return null
    if (waited === 0) context.progress('保管庫が消すのを待っています…')
    await new Promise<void>((resolve) => void context.env.after(WAIT_MS, resolve))
  }
}

function readPatient(context: HubContext, text: string): PatientKey {
  try {
    return parsePatientKey(text)
  } catch {
    return context.fail('患者は「医療機関の番号/患者番号」の形で指定してください。')
  }
}
