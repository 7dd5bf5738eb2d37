import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'
import type { HttpGet } from '../wire.ts'

export interface SmartServer {
  tokenEndpoint: string
  /** `null`: the server does not say. */
  algorithms: string[] | null
}

const DOCUMENT_BYTES_MAX = 256 * 1024
const shape = z.object({
  token_endpoint: z.url(),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()).optional(),
})

/** Below the FHIR base (SMART App Launch 2), or, as some servers have it, below their root. */
export async function discover(base: string, get: HttpGet, signal: AbortSignal): Promise<SmartServer> {
  const places = [
    new URL('.well-known/smart-configuration', base),
    new URL('/.well-known/smart-configuration', base),
  ]
  for (const { href: url } of places) {
    const { status, body } = await get({
      url,
      headers: { accept: 'application/json' },
      bytesMax: DOCUMENT_BYTES_MAX,
      signal,
    })
    if (status === 429 || status >= 500)
      throw new Refused('SOURCE_UNREACHABLE', `smart-configuration (${status})`)
    if (status !== 200) continue
    const told = shape.safeParse(jsonOf(body))
    if (!told.success) continue
    return {
      tokenEndpoint: safe(told.data.token_endpoint, base),
      algorithms: told.data.token_endpoint_auth_signing_alg_values_supported ?? null,
    }
  }
  throw new Refused('SOURCE_ANSWER_BAD', 'smart-configuration')
}

/** What we sign is not sent in the clear, unless the source itself is read so. */
function safe(endpoint: string, base: string): string {
  if (new URL(endpoint).protocol !== 'https:' && new URL(endpoint).origin !== new URL(base).origin)
    throw new Refused('SOURCE_ANSWER_BAD', 'smart-configuration (token endpoint without https)')
  return endpoint
}

export function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return null
  }
}
