import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installationAt } from '@kakehashi/agent/installation'
import { fromBase64 } from '@kakehashi/protocol/signing'
import { verifyAuditLog } from '@kakehashi/store/audit-log'
import { agentLog } from '@kakehashi/test/walk/register-past'
import { rowsOf, type AgentStage, type HubStage } from '@kakehashi/test/walk/stage'

/** The four databases of one hub and one agent. */
export function storesOf(hub: HubStage, agent: AgentStage) {
  return {
    agent: installationAt(agent.dir).store,
    gateway: join(hub.dir, 'gateway', 'gateway.sqlite'),
    ops: join(hub.dir, 'vault', 'ops.sqlite'),
    identity: join(hub.dir, 'vault', 'identity.sqlite'),
  }
}

type Stores = ReturnType<typeof storesOf>

function count(path: string, query: string): number {
  return rowsOf<{ n: number }>(path, `SELECT count(*) AS n FROM ${query}`)[0]!.n
}

/** What a program has under way, in a word; `unknown` when its store cannot be looked into just now. */
export function doingOf(stores: Stores): Record<'agent' | 'gateway' | 'vault', () => string> {
  const asked = (ask: () => string) => () => {
    try {
      return ask()
    } catch {
      return 'unknown'
    }
  }
  return {
    agent: asked(() => {
      const legs = rowsOf<{ leg: string }>(
        stores.agent,
        `SELECT DISTINCT leg FROM outbox_batch WHERE leg IN ('queued', 'claimed', 'in-flight', 'at-gateway')`,
      ).map((row) => row.leg)
      return (
        ['in-flight', 'claimed', 'queued', 'at-gateway'].find((leg) => legs.includes(leg)) ??
        'reading or idle'
      )
    }),
    gateway: asked(() => {
      if (count(stores.gateway, `gateway_batch WHERE state = 'partial'`) > 0) return 'part of a batch held'
      return count(stores.gateway, `gateway_batch WHERE state = 'stored'`) > 0
        ? 'batch stored'
        : 'nothing held'
    }),
    vault: asked(() => {
      if (count(stores.ops, 'batch WHERE dropped_at IS NULL') > 0) return 'batch admitted, not yet dropped'
      if (count(stores.gateway, `gateway_batch WHERE state = 'stored'`) > 0) return 'batch waiting or opening'
      return count(stores.ops, 'landing') > 0 ? 'content landed, not settled' : 'idle'
    }),
  }
}

/** Why the walk is not over yet, or `null`: nothing is under way anywhere and every receipt has come home. */
export function unsettledPart(stores: Stores): string | null {
  const open = [
    ['agent: batches', count(stores.agent, `outbox_batch WHERE leg NOT IN ('done', 'dropped')`)],
    ['agent: messages', count(stores.agent, 'control_out WHERE envelope IS NOT NULL')],
    ['gateway: batches', count(stores.gateway, `gateway_batch WHERE state NOT IN ('done', 'abandoned')`)],
    ['vault: receipts', count(stores.ops, `outbox WHERE type = 'receipt' AND acked_at IS NULL`)],
  ] as const
  const still = open.filter(([, n]) => n > 0)
  return still.length === 0 ? null : still.map(([what, n]) => `${what} ${n}`).join(', ')
}

/** `PRAGMA integrity_check` of every store; the faults found. */
export function damagedStores(stores: Stores): string[] {
  return Object.entries(stores).flatMap(([name, path]) =>
    rowsOf<{ integrity_check: string }>(path, 'PRAGMA integrity_check')
      .map((row) => row.integrity_check)
      .filter((answer) => answer !== 'ok')
      .map((answer) => `${name}: ${answer}`),
  )
}

/** Both published logs by nothing but files and public keys. */
export function verifyLogs(hub: HubStage, agent: AgentStage): string[] {
  const own = agentLog(agent)
  const open = JSON.parse(readFileSync(join(hub.dir, 'public.json'), 'utf8')) as Record<string, string>
  const reports = {
    agent: verifyAuditLog(own.dir, own.origin, own.key),
    vault: verifyAuditLog(
      join(hub.dir, 'vault', 'audit'),
      open['auditOrigin']!,
      fromBase64(open['auditKey']!),
    ),
  }
  return Object.entries(reports).flatMap(([name, report]) =>
    report.problems.map((problem) => `${name}: leaf ${problem.seq ?? '-'} ${problem.what}`),
  )
}
