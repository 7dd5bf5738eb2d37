import { inEnglish, inJapanese, type Refusal, type RefusalCode } from '@kakehashi/protocol/refusals'

/** One HTTP request without a socket: `wire.ts` makes it from the network, the simulator by hand. */
export interface Call {
  method: string
  /** Path with query. */
  path: string
  /** Names in lower case. */
  headers: Record<string, string>
  body: Uint8Array
  /** Of whoever is at the other end of the socket; what headers claim is not in it. */
  peer?: string
}

export interface Answer {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

/** Anything that answers a call: a handler in this process, or the network in front of one. */
export type Caller = (call: Call) => Promise<Answer>

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: new TextEncoder().encode(JSON.stringify(value)),
  }
}

export function bytesAnswer(body: Uint8Array): Answer {
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body }
}

const STATUS: Partial<Record<RefusalCode, number>> = {
  SIGNATURE_INVALID: 401,
  REQUEST_STALE: 401,
  KEY_UNKNOWN: 401,
  KEY_RETIRED: 403,
  NOT_ENROLLED: 401,
  NOT_ALLOWED: 403,
  CODE_WRONG: 403,
  CODE_EXPIRED: 403,
  CODE_USED: 403,
  NOT_FOUND: 404,
  BATCH_REPLAYED: 409,
  ENVELOPE_TOO_LARGE: 413,
  DISK_FULL: 503,
  TOO_OFTEN: 429,
}

/** The refusal with its sentences, under the HTTP status that fits its code. */
export function refusalAnswer(refusal: Refusal): Answer {
  const { code } = refusal
  return json({ ...refusal, ja: inJapanese(code), en: inEnglish(code) }, STATUS[code] ?? 400)
}

export function readJson(answer: Answer): unknown {
  return JSON.parse(new TextDecoder().decode(answer.body))
}
