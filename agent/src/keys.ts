import type { Env } from '@kakehashi/protocol/env'
import { agentId, type AgentId } from '@kakehashi/protocol/ids'
import {
  fromBase64,
  keyIdOf,
  newBoxKey,
  newSigningKey,
  toBase64,
  type BoxKey,
  type SigningKey,
} from '@kakehashi/protocol/signing'

/** Made on site, never leave it. None of them opens a sealed batch. */
export interface AgentKeys {
  agent: AgentId
  signing: SigningKey
  inbox: BoxKey
  /** Keys the hash by which the audit log names a person. */
  about: Uint8Array
}

export function newAgentKeys(env: Env, agent: AgentId = agentId(`agent-${env.id().slice(0, 8)}`)): AgentKeys {
  return { agent, signing: newSigningKey(env), inbox: newBoxKey(env), about: env.random(32) }
}

interface WrittenKeys {
  agent: string
  signing: { public: string; secret: string }
  inbox: { public: string; secret: string }
  about: string
}

export function writeKeys(keys: AgentKeys): string {
  const written: WrittenKeys = {
    agent: keys.agent,
    signing: { public: toBase64(keys.signing.public), secret: toBase64(keys.signing.secret) },
    inbox: { public: toBase64(keys.inbox.public), secret: toBase64(keys.inbox.secret) },
    about: toBase64(keys.about),
  }
  return JSON.stringify(written)
}

export function readKeys(text: string): AgentKeys {
  const written = JSON.parse(text) as WrittenKeys
  const pair = (p: { public: string; secret: string }) => {
    const open = fromBase64(p.public)
    return { id: keyIdOf(open), public: open, secret: fromBase64(p.secret) }
  }
  return {
    agent: agentId(written.agent),
    signing: pair(written.signing),
    inbox: pair(written.inbox),
    about: fromBase64(written.about),
  }
}

/** Read out over the telephone when an agent is enrolled: the key id in groups of four. */
export function fingerprint(keys: AgentKeys): string {
  return (keys.signing.id.match(/.{4}/g) ?? []).join(' ')
}
