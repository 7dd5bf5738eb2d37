import { statfsSync, statSync } from 'node:fs'
import { sql } from 'kysely'
import { inJapanese, Refused } from '@kakehashi/protocol/refusals'
import { OPERATOR_STATUS_AGE_MS_MAX } from '@kakehashi/protocol/limits'
import { verifyAuditTable } from '@kakehashi/store/audit-log'
import type { Agent } from '../agent.ts'
import type { AgentConfig } from '../config.ts'
import type { Installation } from '../installation.ts'
import { facilityStateOf, latestSeen, operatorStateOf } from '../register/read.ts'
import { shutByRestore } from '../register/restored-state.ts'
import { openSlips } from '../register/slip.ts'
import type { SourceConnector } from '../sources/connector.ts'
import { KINDS } from '../sources/kinds.ts'

export interface Finding {
  check: string
  ok: boolean
  /** What was found, and when not well, what to do. */
  found: string
  remedy: string | null
}

export interface Examined {
  at: Installation
  config: AgentConfig
  agent: Agent
  connectors: readonly SourceConnector[]
}

type Check = (about: Examined) => Promise<{ ok: boolean; found: string; remedy: string }>

const DISK_BYTES_MIN = 2 * 1024 ** 3
const SKEW_MS_MAX = 60_000
const WAITING_MS_MAX = 5 * 24 * 3600 * 1000
const STOP_ANSWER_MS_MAX = 24 * 3600 * 1000
const SLIP_MS_MAX = 3 * 24 * 3600 * 1000
const days = (ms: number) => `${Math.floor(ms / 86_400_000)}日`

const filesPrivate: Check = async ({ at }) => {
  const open = [at.dir, at.keys, at.hub, at.config].filter((path) => (statSync(path).mode & 0o077) !== 0)
  return {
    ok: open.length === 0,
    found:
      open.length === 0 ? '本人のアカウントだけが読めます' : `他のアカウントから読めます: ${open.join(' ')}`,
    remedy: 'フォルダーは chmod 700、ファイルは chmod 600 にしてください',
  }
}

const diskSpace: Check = async ({ at }) => {
  const { bavail, bsize } = statfsSync(at.dir)
  const free = bavail * bsize
  return {
    ok: free >= DISK_BYTES_MIN,
    found: `空き ${Math.floor(free / 1024 ** 3)} GB`,
    remedy: '2 GB以上の空きを作ってください。足りない間は読み取りを休み、受け付けたものは失われません',
  }
}

const storeSound: Check = async ({ agent }) => {
  const { db } = agent.context.store
  const integrity = await sql<{ quick_check: string }>`PRAGMA quick_check`.execute(db)
  const sync = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db)
  const journal = await sql<{ journal_mode: string }>`PRAGMA journal_mode`.execute(db)
  const sound = integrity.rows[0]?.quick_check === 'ok'
  const durable = sync.rows[0]?.synchronous === 2 && journal.rows[0]?.journal_mode === 'wal'
  return {
    ok: sound && durable,
    found: sound ? (durable ? '壊れていません（WAL・FULL）' : '停電に弱い設定です') : '壊れています',
    remedy: '控えから戻してください（agent restore）。ディスクの故障も疑ってください',
  }
}

const gatewayReachable: Check = async ({ agent }) => {
  const failure = await agent.line.knock()
  return {
    ok: failure === null,
    found: failure === null ? '署名つきの問い合わせに答えました' : `答えがありません（${failure}）`,
    remedy:
      failure === 'REQUEST_STALE'
        ? 'この機械の時計を合わせてください'
        : 'アドレス・プロキシ（HTTPS_PROXY）・証明書・出口の443番を確かめてください',
  }
}

const clockRight: Check = async ({ agent }) => {
  const now = agent.context.env.now()
  const behind = (await latestSeen(agent.context.store.db)) - now
  return {
    ok: behind <= SKEW_MS_MAX,
    found:
      behind <= SKEW_MS_MAX ? '時計は戻っていません' : `時計が ${Math.round(behind / 1000)} 秒戻っています`,
    remedy: '時計を合わせてください（NTP）。戻っている間は何も送りません',
  }
}

const sourcesReadable: Check = async ({ connectors }) => {
  const bad: string[] = []
  for (const connector of connectors) {
    try {
      await connector.probe(AbortSignal.timeout(20_000))
    } catch (error) {
      const why = error instanceof Refused ? inJapanese(error.refusal.code) : '読めません。'
      bad.push(`${connector.id}: ${why}`)
    }
  }
  return {
    ok: connectors.length > 0 && bad.length === 0,
    found:
      connectors.length === 0
        ? '設定がありません'
        : bad.length > 0
          ? bad.join(' ')
          : connectors.map(({ id, kind }) => `${id}: ${KINDS[kind]}`).join('、'),
    remedy: 'config.json の sources と、電子カルテ側の場所・権限を確かめてください',
  }
}

const schemeReady: Check = async ({ agent }) => {
  const { store, facility, track } = agent.context
  const state = await facilityStateOf(store.db, facility)
  const filed = state?.filings.some((f) => f.track === track && f.endedOn === null) === true
  const template = state?.templates.some((t) => t.track === track) === true
  const missing = [!state && '法人', !template && 'お知らせの版', !filed && '届出'].filter(Boolean)
  return {
    ok: missing.length === 0,
    found:
      missing.length === 0
        ? '法人・お知らせ・届出がそろっています'
        : `登録がありません: ${missing.join('・')}`,
    remedy: 'agent facility --file で登録してください。そろうまで誰のものも送りません',
  }
}

const operatorFresh: Check = async ({ agent }) => {
  const { store, hub, env, track } = agent.context
  const state = await operatorStateOf(store.db, hub.operator)
  const age = env.now() - state.asOf
  const ok =
    state.standing === 'certified' && state.tracks.includes(track) && age <= OPERATOR_STATUS_AGE_MS_MAX
  return {
    ok,
    found: state.asOf === 0 ? 'まだ届いていません' : `${state.standing}・${days(age)}前の一覧`,
    remedy: '認定事業者との通信を確かめてください。古い一覧では何も送りません',
  }
}

const nothingStuck: Check = async ({ agent }) => {
  const { oldestWaitingAt, at } = await agent.status()
  const age = oldestWaitingAt === null ? 0 : at - oldestWaitingAt
  return {
    ok: age <= WAITING_MS_MAX,
    found: oldestWaitingAt === null ? '待っている封筒はありません' : `最も古い封筒は ${days(age)}前`,
    remedy: '通信と、認定事業者からの受領証を確かめてください',
  }
}

const stopsAnswered: Check = async ({ agent }) => {
  const { oldestUnansweredStopAt, at } = await agent.status()
  const age = oldestUnansweredStopAt === null ? 0 : at - oldestUnansweredStopAt
  return {
    ok: age <= STOP_ANSWER_MS_MAX,
    found:
      oldestUnansweredStopAt === null
        ? '停止の求めはすべて認定事業者に届いています'
        : `確認待ちの停止の求めがあります。最も古いものは ${Math.floor(age / 3_600_000)}時間前`,
    remedy: 'この病院からは送りません。認定事業者に電話し、停止が伝わっているかを確かめてください',
  }
}

const stopsKnown: Check = async ({ agent }) => {
  const shut = await shutByRestore(agent.context.store.db)
  const waits = shut !== null
  return {
    ok: !waits,
    found: waits
      ? `控えから戻した後、認定事業者の${shut === 'STOPS_UNKNOWN' ? '停止' : '提供済みの記録'}の一覧を待っています。何も送りません`
      : 'そろっています',
    remedy: 'agent run を始めて通信できるようにしてください。一覧が届くと送付を再開します',
  }
}

const slipsHanded: Check = async ({ agent }) => {
  const slips = await openSlips(agent.context.store.db, agent.context.env.now())
  const oldest = slips[0]?.ageMs ?? 0
  return {
    ok: oldest <= SLIP_MS_MAX,
    found:
      slips.length === 0 ? '未交付の書面はありません' : `未交付 ${slips.length} 件、最長 ${days(oldest)}`,
    remedy: '窓口の「未交付の書面」から印刷し、遅滞なく渡してください（法第53条）',
  }
}

const auditSound: Check = async ({ agent }) => {
  const report = await verifyAuditTable(agent.context.store)
  return {
    ok: report.ok,
    found: `${report.size} 件 ${report.ok ? '正しい' : '誤りあり'}`,
    remedy: '書き換えの疑いがあります。この機械を止めずに認定事業者へ連絡してください',
  }
}

const witnessAgrees: Check = async ({ agent }) => {
  const rows = await agent.context.store.db
    .selectFrom('witness')
    .select(['standing', (e) => e.fn.countAll<number>().as('n')])
    .groupBy('standing')
    .execute()
  const bad = rows.filter((row) => row.standing !== 'kept').reduce((n, row) => n + row.n, 0)
  return {
    ok: bad === 0,
    found: bad === 0 ? '認定事業者の監査記録に食い違いはありません' : `食い違い ${bad} 件`,
    remedy: '認定事業者の記録が書き換えられた疑いがあります。監督官庁への相談も検討してください',
  }
}

export const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['ファイルの権限', filesPrivate],
  ['ディスクの空き', diskSpace],
  ['データベース', storeSound],
  ['監査記録', auditSound],
  ['時計', clockRight],
  ['ゲートウェイ', gatewayReachable],
  ['電子カルテ', sourcesReadable],
  ['法人・お知らせ・届出', schemeReady],
  ['認定の状況', operatorFresh],
  ['送付の滞り', nothingStuck],
  ['停止の求めの到達', stopsAnswered],
  ['停止の一覧', stopsKnown],
  ['書面の交付', slipsHanded],
  ['立会人の記録', witnessAgrees],
]

/** Every check, in order; one that breaks is itself a finding. */
export async function examine(about: Examined): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [name, check] of CHECKS) {
    try {
      const { ok, found, remedy } = await check(about)
      findings.push({ check: name, ok, found, remedy: ok ? null : remedy })
    } catch (error) {
      const found = `確かめられません（${error instanceof Error ? error.name : 'unknown'}）`
      findings.push({ check: name, ok: false, found, remedy: 'この出力を認定事業者に見せてください' })
    }
  }
  return findings
}
