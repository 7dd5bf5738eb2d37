import type { OpsStore } from './ops.ts'

export interface HubStatus {
  agents: number
  /** Not heard from for a day. */
  silent: number
  batches: Record<'accepted' | 'partly' | 'refused', number>
  records: { accepted: number; refused: number; landing: number; kept: number }
  refusals: Record<string, number>
  stops: { inForce: number; undelivered: number }
  erasures: { open: number; done: number }
  incidents: { severity1: number; open: number }
  quarantine: { batches: number; oldestAt: number | null }
  suspended: string[]
  messagesWaiting: number
  auditLeaves: number
}

const SILENT_MS = 24 * 3600 * 1000

/** Counts and codes only; names nobody. */
export async function hubStatus(ops: OpsStore): Promise<HubStatus> {
  const { db } = ops
  const agents = await db
    .selectFrom('agent')
    .select(['last_heard_at', 'enrolled_at'])
    .where('retired_at', 'is', null)
    .execute()
  const batches = await db
    .selectFrom('batch')
    .select([
      'outcome',
      (e) => e.fn.countAll().as('n'),
      (e) => e.fn.sum('accepted').as('accepted'),
      (e) => e.fn.sum('refused').as('refused'),
    ])
    .groupBy('outcome')
    .execute()
  const refusals = await db
    .selectFrom('batch_refusal')
    .select(['code', (e) => e.fn.countAll().as('n')])
    .groupBy('code')
    .execute()
  const incidents = await db
    .selectFrom('incident')
    .select('severity')
    .where('cleared_at', 'is', null)
    .execute()
  const suspended = await db.selectFrom('facility_intake').select('facility').orderBy('facility').execute()
  const of = (outcome: string): number => Number(batches.find((row) => row.outcome === outcome)?.n ?? 0)
  const sum = (what: 'accepted' | 'refused'): number =>
    batches.reduce((total, row) => total + Number(row[what] ?? 0), 0)
  const before = ops.env.now() - SILENT_MS
  return {
    agents: agents.length,
    silent: agents.filter((agent) => Number(agent.last_heard_at ?? agent.enrolled_at) < before).length,
    batches: { accepted: of('accepted'), partly: of('partly'), refused: of('refused') },
    records: {
      accepted: sum('accepted'),
      refused: sum('refused'),
      landing: await countRows(ops, 'landing'),
      kept: await countRows(ops, 'content_record'),
    },
    refusals: Object.fromEntries(refusals.map((row) => [row.code, Number(row.n)])),
    stops: await stopCounts(ops),
    erasures: await erasureCounts(ops),
    incidents: {
      severity1: incidents.filter((row) => Number(row.severity) === 1).length,
      open: incidents.length,
    },
    quarantine: await quarantineCounts(ops),
    suspended: suspended.map((row) => row.facility),
    messagesWaiting: await waiting(ops),
    auditLeaves: await countRows(ops, 'audit_leaf'),
  }
}

async function countRows(ops: OpsStore, table: 'landing' | 'content_record' | 'audit_leaf'): Promise<number> {
  const row = await ops.db
    .selectFrom(table)
    .select((e) => e.fn.countAll().as('n'))
    .executeTakeFirst()
  return Number(row?.n ?? 0)
}

async function stopCounts(ops: OpsStore): Promise<HubStatus['stops']> {
  const inForce = await ops.db
    .selectFrom('stop')
    .select((e) => e.fn.countAll().as('n'))
    .where('standing', 'in', ['provisional', 'confirmed'])
    .executeTakeFirst()
  const undelivered = await ops.db
    .selectFrom('stop_delivery as d')
    .innerJoin('agent as a', 'a.agent', 'd.agent')
    .select((e) => e.fn.countAll().as('n'))
    .where('d.acked_at', 'is', null)
    .where('a.retired_at', 'is', null)
    .executeTakeFirst()
  return { inForce: Number(inForce?.n ?? 0), undelivered: Number(undelivered?.n ?? 0) }
}

async function quarantineCounts(ops: OpsStore): Promise<HubStatus['quarantine']> {
  const row = await ops.db
    .selectFrom('quarantine')
    .select((e) => [e.fn.countAll().as('n'), e.fn.min('at').as('oldest')])
    .where('sealed', 'is not', null)
    .executeTakeFirst()
  const batches = Number(row?.n ?? 0)
  return { batches, oldestAt: batches === 0 ? null : Number(row?.oldest) }
}

async function erasureCounts(ops: OpsStore): Promise<HubStatus['erasures']> {
  const rows = await ops.db
    .selectFrom('erasure')
    .select(['state', (e) => e.fn.countAll().as('n')])
    .groupBy('state')
    .execute()
  const done = Number(rows.find((row) => row.state === 'done')?.n ?? 0)
  return { done, open: rows.reduce((total, row) => total + Number(row.n), 0) - done }
}

async function waiting(ops: OpsStore): Promise<number> {
  const row = await ops.db
    .selectFrom('outbox')
    .select((e) => e.fn.countAll().as('n'))
    .where('acked_at', 'is', null)
    .executeTakeFirst()
  return Number(row?.n ?? 0)
}

export function statusLines(status: HubStatus): string[] {
  const { batches, records, stops, erasures, incidents } = status
  return [
    `装置 ${status.agents}（一日以上連絡なし ${status.silent}）`,
    `荷: 受入 ${batches.accepted}、一部 ${batches.partly}、拒否 ${batches.refused}`,
    `記録: 受入 ${records.accepted}、拒否 ${records.refused}、保管 ${records.kept}（整理待ち ${records.landing}）`,
    ...Object.entries(status.refusals).map(([code, n]) => `  拒否の理由 ${code}: ${n}`),
    `停止 ${stops.inForce}（医療機関の確認待ち ${stops.undelivered}）、削除 完了 ${erasures.done}・未完 ${erasures.open}`,
    `事故 未解決 ${incidents.open}（重大度1 ${incidents.severity1}）${status.suspended.length > 0 ? `、受け入れ停止中: ${status.suspended.join('、')}` : ''}`,
    quarantineLine(status.quarantine),
    `装置への連絡待ち ${status.messagesWaiting}、監査記録 ${status.auditLeaves}`,
  ]
}

function quarantineLine({ batches, oldestAt }: HubStatus['quarantine']): string {
  if (oldestAt === null) return '隔離した荷 0'
  const since = new Date(oldestAt).toLocaleDateString('ja-JP', { timeZone: 'Asia/Tokyo' })
  return `隔離した荷 ${batches}（最も古いもの ${since} から。hub quarantine で確かめてください）`
}
