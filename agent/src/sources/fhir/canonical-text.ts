import { Refused } from '@kakehashi/protocol/refusals'

export const JSON_DEPTH_MAX = 64

/**
 * One text for one JSON value: no white space, keys sorted, strings escaped one way, and every number exactly as it
 * was written (`1.00` is not `1`). At the top level `meta.versionId` and `meta.lastUpdated` are left out, so that the
 * text changes only when the content does.
 *
 * `text` must be JSON that `JSON.parse` accepted: this scanner trusts its shape. Throws {@link Refused}
 * `LINE_NOT_JSON` on a key given twice and on more than {@link JSON_DEPTH_MAX} levels.
 */
export function canonicalText(text: string): string {
  const scanner = { text, at: 0 }
  return value(scanner, 0, false)
}

interface Scanner {
  text: string
  at: number
}

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

function value(s: Scanner, depth: number, meta: boolean): string {
  const c = skipSpace(s)
  if (c === QUOTE) return string(s)
  if (c === OPEN_OBJECT) return object(s, depth + 1, meta)
  if (c === OPEN_LIST) return list(s, depth + 1)
  const from = s.at
  while (s.at < s.text.length && !endsLiteral(s.text.charCodeAt(s.at))) s.at++
  return s.text.slice(from, s.at)
}

function object(s: Scanner, depth: number, meta: boolean): string {
  if (depth > JSON_DEPTH_MAX) throw new Refused('LINE_NOT_JSON')
  s.at++
  const keys: string[] = []
  const values: string[] = []
  while (skipSpace(s) !== CLOSE_OBJECT) {
    if (s.text.charCodeAt(s.at) === COMMA) {
      s.at++
      continue
    }
    const key = string(s)
    skipSpace(s)
    s.at++
    const isMeta = depth === 1 && key === '"meta"'
    const told = value(s, depth, isMeta)
    if (meta && (key === '"versionId"' || key === '"lastUpdated"')) continue
    if (isMeta && told === '{}') continue
    keys.push(key)
    values.push(told)
  }
  s.at++
  let text = ''
  for (const n of orderOf(keys)) text += (text === '' ? '{' : ',') + keys[n] + ':' + values[n]
  return text === '' ? '{}' : text + '}'
}

/** FHIR objects come in few shapes: the order of a shape's keys is worked out once. */
const orders = new Map<string, readonly number[]>()
const ORDERS_MAX = 4096
const SHAPE_LENGTH_MAX = 1024

function orderOf(keys: string[]): readonly number[] {
  const shape = keys.join()
  const kept = orders.get(shape)
  if (kept) return kept
  const order = keys.map((_, n) => n).toSorted((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1))
  for (let n = 1; n < order.length; n++)
    if (keys[order[n] as number] === keys[order[n - 1] as number]) throw new Refused('LINE_NOT_JSON')
  if (orders.size >= ORDERS_MAX) orders.clear()
  if (shape.length <= SHAPE_LENGTH_MAX) orders.set(shape, order)
  return order
}

function list(s: Scanner, depth: number): string {
  if (depth > JSON_DEPTH_MAX) throw new Refused('LINE_NOT_JSON')
  s.at++
  let items = ''
  while (skipSpace(s) !== CLOSE_LIST) {
    if (s.text.charCodeAt(s.at) === COMMA) s.at++
    else items += (items === '' ? '' : ',') + value(s, depth, false)
  }
  s.at++
  return '[' + items + ']'
}

function string(s: Scanner): string {
  const from = s.at
  let end = s.text.indexOf('"', from + 1)
  if (s.text.charCodeAt(end - 1) !== 92) {
    s.at = end + 1
    const raw = s.text.slice(from, s.at)
    return raw.includes('\\') ? JSON.stringify(JSON.parse(raw)) : raw
  }
  while (escaped(s.text, end)) end = s.text.indexOf('"', end + 1)
  s.at = end + 1
  return JSON.stringify(JSON.parse(s.text.slice(from, s.at)))
}

function escaped(text: string, quote: number): boolean {
  let slashes = 0
  while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++
  return slashes % 2 === 1
}

function skipSpace(s: Scanner): number {
  let c = s.text.charCodeAt(s.at)
  while (c === 32 || c === 10 || c === 13 || c === 9) c = s.text.charCodeAt(++s.at)
  return c
}

function endsLiteral(c: number): boolean {
  return c === COMMA || c === CLOSE_OBJECT || c === CLOSE_LIST || c === COLON || c <= 32
}
