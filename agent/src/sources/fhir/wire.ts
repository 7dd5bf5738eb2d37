import { Refused } from '@kakehashi/protocol/refusals'

export interface HttpRequest {
  url: string
  headers: Record<string, string>
  /** Longer answers are refused, not truncated. */
  bytesMax: number
  signal: AbortSignal
}

export interface HttpAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Uint8Array
}

/** The only way a FHIR source reaches the network. Throws {@link Refused} when no whole answer came. */
export type HttpGet = (request: HttpRequest) => Promise<HttpAnswer>

const TIMEOUT_MS = 120_000

/** GET by the platform's `fetch`. Redirects are not followed: they could carry the token to another host. */
export function fetchGet(timeoutMs: number = TIMEOUT_MS): HttpGet {
  return async ({ url, headers, bytesMax, signal }) => {
    const both = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const response = await fetch(url, { headers, signal: both, redirect: 'manual' })
      const body = await bodyOf(response, bytesMax)
      return { status: response.status, headers: Object.fromEntries(response.headers), body }
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof Refused ? error : new Refused('SOURCE_UNREACHABLE')
    }
  }
}

async function bodyOf(response: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      await response.body?.cancel().catch(() => {})
      throw new Refused('SOURCE_ANSWER_BAD', 'answer too large')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
