import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { Agent } from '../agent.ts'
import type { AgentConfig } from '../config.ts'
import { addressOf } from '../papers/address.ts'
import { patientFinder } from '../patients/search.ts'
import type { SourceConnector } from '../sources/connector.ts'
import type { CounterParts, CounterSettings } from './parts.ts'
import { staffDirectory } from './staff.ts'

/** Heard from the hub within this time: the line is taken for standing. */
const CONTACT_MS_MAX = 60_000

export function counterSettings(config: AgentConfig): CounterSettings {
  return {
    facilityName: config.facilityName,
    https: config.counter.https,
    portalAddress: config.portalAddress?.replace(/\/+$/, '') ?? null,
    operatorPhone: config.operatorPhone,
    noticeText: (hash) => readText(config.noticeTexts, hash),
  }
}

/** Only the exact text that was published: its hash is its name and is checked. */
export function readText(folder: string | null, hash: string): string | null {
  if (folder === null || !/^[0-9a-f]{64}$/.test(hash)) return null
  try {
    const text = readFileSync(join(folder, `${hash}.txt`), 'utf8')
    return sha256Hex(text) === hash ? text : null
  } catch {
    return null
  }
}

/** The counter's parts out of a running agent. */
export function counterParts(
  agent: Agent,
  settings: CounterSettings,
  connectors: readonly SourceConnector[] = [],
): CounterParts {
  const { context, line, register } = agent
  return {
    context,
    register,
    settings,
    people: patientFinder(context.store.db),
    staff: staffDirectory(context),
    addressOf: (patient) => addressOf(connectors, patient, new AbortController().signal),
    dryRun: () => agent.dryRun(),
    online: () =>
      line.lastFailure === null &&
      line.lastContactAt !== null &&
      context.env.now() - line.lastContactAt < CONTACT_MS_MAX,
  }
}
