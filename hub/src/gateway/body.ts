import { Refused } from '@kakehashi/protocol/refusals'
import type { z } from 'zod'

/** A JSON body by its strict schema, or `REQUEST_MALFORMED` that names the field but not what it held. */
export function parseBody<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new Refused('REQUEST_MALFORMED', 'body')
  }
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw new Refused('REQUEST_MALFORMED', read.error.issues[0]?.path.join('.') ?? 'body')
}

/** A whole number from the query, or the given default when absent. */
export function wholeNumber(url: URL, name: string, absent?: number): number {
  const text = url.searchParams.get(name)
  if (text === null && absent !== undefined) return absent
  const value = Number(text)
  if (text === null || !/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new Refused('REQUEST_MALFORMED', name)
  return value
}
