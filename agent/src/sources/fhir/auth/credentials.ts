import type { SmartTokens } from './tokens.ts'

export type Credentials =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string }
  | { kind: 'basic'; user: string; password: string }
  | { kind: 'smart'; tokens: SmartTokens }

/** The value of the `authorization` header; `null`: none is sent. */
export async function authorizationOf(credentials: Credentials, signal: AbortSignal): Promise<string | null> {
  switch (credentials.kind) {
    case 'none':
      return null
    case 'bearer':
      return `Bearer ${credentials.token}`
    case 'basic': {
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8')
      return `Basic ${pair.toString('base64')}`
    }
    case 'smart':
      return `Bearer ${await credentials.tokens.token(signal)}`
  }
}

/** Whether asking once more may be of use (DATA T37): only a token that can be had anew. */
export function renewable(credentials: Credentials, sent: string | null): boolean {
  if (credentials.kind !== 'smart' || sent === null) return false
  credentials.tokens.refused(sent.slice('Bearer '.length))
  return true
}
