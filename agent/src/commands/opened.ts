import { join, resolve } from 'node:path'
import { facilityId } from '@kakehashi/protocol/ids'
import { systemEnv } from '@kakehashi/protocol/env'
import { jsonLog, type Log } from '@kakehashi/protocol/log'
import { Refused } from '@kakehashi/protocol/refusals'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { createAgent, type Agent } from '../agent.ts'
import type { AgentConfig } from '../config.ts'
import { connectorsOf } from '../connectors.ts'
import {
  installationAt,
  readHub,
  readInstalledConfig,
  readInstalledKeys,
  type Installation,
} from '../installation.ts'
import type { SourceConnector } from '../sources/connector.ts'
import { readText } from '../counter/of-agent.ts'
import { openAgentStore } from '../store/store.ts'
import { realWire } from '../uplink/wire.ts'

export interface Opened {
  at: Installation
  config: AgentConfig
  agent: Agent
  connectors: SourceConnector[]
  close(): Promise<void>
}

/** Everything of one installed agent, assembled; the caller closes it. Throws `Refused` when it is not enrolled. */
export async function openAgent(dir: string, options: { log?: boolean } = {}): Promise<Opened> {
  const at = installationAt(dir)
  const config = readInstalledConfig(at, process.env)
  const keys = readInstalledKeys(at)
  const hub = readHub(at)
  if (!keys || !hub) throw new Refused('NOT_ENROLLED', dir)
  const env = systemEnv()
  const store = await openAgentStore(at.store, env)
  const log: Log = options.log
    ? jsonLog(
        () => env.now(),
        (line) => process.stdout.write(line),
      )
    : () => {}
  const connectors = connectorsOf(config, store)
  const agent = createAgent({
    env,
    store,
    keys,
    hub,
    config: { facility: facilityId(config.facility), track: config.track },
    connectors,
    decide,
    rulesAt,
    log,
    wire: realWire(config.hub, { caFile: config.caFile }),
  })
  await agent.learnRules()
  return { at, config, agent, connectors, close: () => store.close() }
}

/** One act of an installed agent, from opening it to closing it. */
export async function using<T>(dir: string, act: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await openAgent(resolve(dir))
  try {
    return await act(opened)
  } finally {
    await opened.close()
  }
}

/** Texts of notices published before the register kept them itself. */
export function keptTexts({ at, config }: Pick<Opened, 'at' | 'config'>): (hash: string) => string | null {
  return (hash) => readText(config.noticeTexts ?? join(at.dir, 'notices'), hash)
}
