import { join } from 'node:path'
import type { Env } from '@kakehashi/protocol/env'
import { word, type Log } from '@kakehashi/protocol/log'
import { publishLog } from '@kakehashi/store/audit-log'
import { auditOrigin } from '../audit/origin.ts'
import { refusalAnswer } from '../call.ts'
import { consoleApp } from '../console/app.ts'
import { settle } from '../content/settle.ts'
import { listen, placeOf, type Listening } from '../wire.ts'
import { linkNewRecords } from '../linkage/flow.ts'
import { dropFormerBoxes } from './box-key.ts'
import { pullLoop } from './loop.ts'
import { openVault, type OpenVault } from './opening.ts'
import { createVault, type Round, type Vault } from './vault.ts'

const BACK_OFF_MS_MAX = 30_000
const PUBLISH_EVERY_MS = 10_000
const LINK_EVERY_MS = 30_000

export interface RunningVault {
  vault: Vault
  open: OpenVault
  consoleUrl: string
  close(): Promise<void>
}

/** The core at work: replays erasures first, then pulls, settles content and publishes the audit log. */
export async function runVault(dir: string, env: Env, log: Log): Promise<RunningVault> {
  const open = await openVault(dir, env, log)
  const vault = createVault(open.parts)
  const dropped = dropFormerBoxes(open.folder, env.now())
  if (dropped > 0) log('vault.former-keys-destroyed', { keys: dropped })
  const { replayed, stops } = await vault.start()
  if (replayed + stops > 0) log('vault.replayed', { charts: replayed, stops })
  const due = duties(open, env)
  const timing = { everyMs: open.config.pullEveryMs, backOffMsMax: BACK_OFF_MS_MAX }
  const loop = pullLoop(vault, env, log, timing, due)
  const pages = await serveConsole(open, log)
  log('ready', { zone: word('vault'), port: pages.port })
  return {
    vault,
    open,
    consoleUrl: pages.url,
    async close() {
      await pages.close()
      await loop.stop()
      await publish(open)
      await open.close()
    },
  }
}

/** The operator's pages: only pages, no door for machines. */
async function serveConsole(open: OpenVault, log: Log): Promise<Listening> {
  const { config, ops, identity, parts } = open
  const place = placeOf(config.console)
  const app = consoleApp({
    env: parts.env,
    log,
    https: place.tls !== undefined,
    operatorName: config.operator.name,
    ops,
    identity,
    vault: parts,
    stopLateMs: config.stopLateMs,
  })
  return listen(place, async () => refusalAnswer({ code: 'NOT_FOUND' }), app)
}

/** What follows the rounds, each in its own rhythm: the public log, the link map, the partition files. */
function duties(open: OpenVault, env: Env): (round: Round) => Promise<void> {
  let published = 0
  let settled = env.now()
  let linked = 0
  let unlinked = true
  return async (round) => {
    const now = env.now()
    if (round.batches.accepted > 0) unlinked = true
    if (unlinked && !round.batches.more && now - linked >= LINK_EVERY_MS) {
      await linkNewRecords(open.release.identity, undefined, (charts) => open.release.blocked(charts, 'ANON'))
      linked = now
      unlinked = false
    }
    if (now - published >= PUBLISH_EVERY_MS) {
      await publish(open)
      published = now
    }
    if (now - settled >= open.config.settleEveryMs) {
      await settle(open.content)
      settled = now
    }
  }
}

export async function publish(open: OpenVault): Promise<string> {
  const origin = auditOrigin(open.config.operator.operator)
  return publishLog(open.ops, join(open.folder, 'audit'), origin, open.parts.keys.audit)
}
