import { Refused } from '@kakehashi/protocol/refusals'

/**
 * The exact text of each `entry.resource` of a Bundle, cut out of the text of the Bundle itself, never printed anew:
 * decimals, spaces and key order stay as the server wrote them. `text` must be JSON that `JSON.parse` accepted.
 */
export function entryTexts(text: string): (string | null)[] {
  const entries: (string | null)[] = []
  const top = members(text, skipSpace(text, 0))
  const list = top.get('entry')
  if (list === undefined) return entries
  for (const [from] of items(text, list[0])) {
    const resource = members(text, from).get('resource')
    entries.push(resource === undefined ? null : text.slice(resource[0], resource[1]))
  }
  return entries
}

type Range = [from: number, to: number]

/** Ranges of the values of one object, by key. */
function members(text: string, from: number): Map<string, Range> {
  const found = new Map<string, Range>()
  if (text[from] !== '{') return found
  let at = skipSpace(text, from + 1)
  while (text[at] !== '}') {
    const keyEnd = endOfString(text, at)
    const key = JSON.parse(text.slice(at, keyEnd)) as string
    if (found.has(key)) throw new Refused('LINE_NOT_JSON')
    at = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = endOfValue(text, at)
    found.set(key, [at, end])
    at = skipComma(text, end)
  }
  return found
}

function* items(text: string, from: number): Generator<Range> {
  if (text[from] !== '[') return
  let at = skipSpace(text, from + 1)
  while (text[at] !== ']') {
    const end = endOfValue(text, at)
    yield [at, end]
    at = skipComma(text, end)
  }
}

function endOfValue(text: string, from: number): number {
  const first = text[from]
  if (first === '"') return endOfString(text, from)
  if (first !== '{' && first !== '[') {
    let at = from
    while (!/[,\]}\s]/.test(text[at] as string)) at++
    return at
  }
  let depth = 0
  for (let at = from; ; at++) {
    const c = text.charCodeAt(at)
    if (c === 34) at = endOfString(text, at) - 1
    else if (c === 123 || c === 91) depth++
    else if ((c === 125 || c === 93) && --depth === 0) return at + 1
  }
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    const quote = text.indexOf('"', at)
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return quote + 1
    at = quote
  }
}

function skipComma(text: string, from: number): number {
  const at = skipSpace(text, from)
  return text[at] === ',' ? skipSpace(text, at + 1) : at
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (/\s/.test(text[at] ?? 'x')) at++
  return at
}
