import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnrolmentAnswer } from '@kakehashi/protocol/messages'
import { Refused } from '@kakehashi/protocol/refusals'
import { readConfig, type AgentConfig } from './config.ts'
import { readKeys, writeKeys, type AgentKeys } from './keys.ts'

/** The folder an agent lives in. Everything in it is readable by its own account only. */
export interface Installation {
  dir: string
  config: string
  keys: string
  hub: string
  store: string
  audit: string
  lock: string
}

export function installationAt(dir: string): Installation {
  return {
    dir,
    config: join(dir, 'config.json'),
    keys: join(dir, 'keys.json'),
    hub: join(dir, 'hub.json'),
    store: join(dir, 'agent.sqlite'),
    audit: join(dir, 'audit'),
    lock: join(dir, 'agent.lock'),
  }
}

export function makeDir(at: Installation): void {
  mkdirSync(at.dir, { recursive: true, mode: 0o700 })
  chmodSync(at.dir, 0o700)
}

/** Written whole or not at all, readable by the owner only. */
export function writePrivate(path: string, text: string): void {
  const half = `${path}.new`
  writeFileSync(half, text, { mode: 0o600, flush: true })
  chmodSync(half, 0o600)
  renameSync(half, path)
}

export function readInstalledConfig(
  at: Installation,
  environment: Readonly<Record<string, string | undefined>>,
): AgentConfig {
  if (!existsSync(at.config)) throw new Refused('NOT_ENROLLED', at.dir)
  return readConfig(readFileSync(at.config, 'utf8'), environment)
}

export function readInstalledKeys(at: Installation): AgentKeys | null {
  return existsSync(at.keys) ? readKeys(readFileSync(at.keys, 'utf8')) : null
}

export function keepKeys(at: Installation, keys: AgentKeys): void {
  writePrivate(at.keys, writeKeys(keys))
}

export function readHub(at: Installation): EnrolmentAnswer | null {
  return existsSync(at.hub) ? (JSON.parse(readFileSync(at.hub, 'utf8')) as EnrolmentAnswer) : null
}

export function keepHub(at: Installation, hub: EnrolmentAnswer): void {
  writePrivate(at.hub, JSON.stringify(hub, null, 2))
}
