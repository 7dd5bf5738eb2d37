import { Refused } from '@kakehashi/protocol/refusals'

export const JSON_DEPTH_MAX = 64

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/** Escapes that `JSON.stringify` writes too: `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`. */
const OWN_ESCAPES: ReadonlySet<number> = new Set([...'"\\bfnrt'].map((c) => c.charCodeAt(0)))
const [META, VERSION, UPDATED] = ['"meta"', '"versionId"', '"lastUpdated"'].map((key) => Buffer.from(key))

const KEPT_BYTES_MAX = 1024 * 1024
const INSERTION_MAX = 32

/**
 * One text for one JSON value: no white space, keys sorted by UTF-16 code unit, strings escaped one way, and every
 * number exactly as it was written (`1.00` is not `1`). At the top level `meta.versionId` and `meta.lastUpdated` are
 * left out, so that the text changes only when the content does. Works on bytes, because every record passes here.
 *
 * `json` must be UTF-8 that `JSON.parse` accepted: this scanner trusts its shape. The answer is good until the next
 * call. Throws {@link Refused} `LINE_NOT_JSON` on a key given twice and on more than {@link JSON_DEPTH_MAX} levels.
 */
export function canonicalText(json: Uint8Array): Uint8Array {
  return scanner.read(json)
}

class Scanner {
  #json: Uint8Array = new Uint8Array()
  #at = 0
  /** No text is longer than what it was made of; behind it there is room to put an object's members in order. */
  #out: Buffer = Buffer.alloc(0)
  #end = 0
  /** Where each member of the objects under way starts, and where its key ends. */
  readonly #starts: number[] = []
  readonly #keyEnds: number[] = []
  readonly #order: number[] = []
  /** Which of the keys that may be left out were met. */
  #met = 0

  read(json: Uint8Array): Uint8Array {
    const room = 2 * json.length + 16
    if (this.#out.length < room || this.#out.length > KEPT_BYTES_MAX) this.#out = Buffer.allocUnsafeSlow(room)
    this.#json = json
    this.#at = 0
    this.#end = 0
    this.#starts.length = 0
    this.#keyEnds.length = 0
    this.#met = 0
    this.#value(0, false)
    return this.#out.subarray(0, this.#end)
  }

  #value(depth: number, meta: boolean): void {
    const c = this.#skipSpace()
    if (c === QUOTE) this.#string()
    else if (c === OPEN_OBJECT) this.#object(depth + 1, meta)
    else if (c === OPEN_LIST) this.#list(depth + 1)
    else this.#literal()
  }

  #literal(): void {
    const json = this.#json
    while (this.#at < json.length) {
      const c = json[this.#at] as number
      if (c === COMMA || c === CLOSE_OBJECT || c === CLOSE_LIST || c <= 32) return
      this.#out[this.#end++] = c
      this.#at++
    }
  }

  #list(depth: number): void {
    if (depth > JSON_DEPTH_MAX) throw new Refused('LINE_NOT_JSON')
    this.#at++
    this.#out[this.#end++] = OPEN_LIST
    const first = this.#end
    for (let c = this.#skipSpace(); c !== CLOSE_LIST; c = this.#skipSpace()) {
      if (c === COMMA) {
        this.#at++
        continue
      }
      this.#value(depth, false)
      this.#out[this.#end++] = COMMA
    }
    this.#close(first, CLOSE_LIST)
  }

  #object(depth: number, meta: boolean): void {
    if (depth > JSON_DEPTH_MAX) throw new Refused('LINE_NOT_JSON')
    this.#at++
    this.#out[this.#end++] = OPEN_OBJECT
    const first = this.#end
    const base = this.#starts.length
    let ascending = true
    for (let c = this.#skipSpace(); c !== CLOSE_OBJECT; c = this.#skipSpace()) {
      if (c === COMMA) {
        this.#at++
        continue
      }
      if (!this.#member(depth, meta)) continue
      const n = this.#starts.length - 1
      ascending &&= n === base || this.#compare(n - 1, n) < 0
    }
    if (!ascending) this.#sort(base, first)
    this.#starts.length = base
    this.#keyEnds.length = base
    this.#close(first, CLOSE_OBJECT)
  }

  /** `"key":value,` at the end; false when it does not count. */
  #member(depth: number, meta: boolean): boolean {
    const start = this.#end
    this.#string()
    const keyEnd = this.#end
    this.#skipSpace()
    this.#at++
    this.#out[this.#end++] = COLON
    const isMeta = depth === 1 && this.#is(META, start, keyEnd)
    const isVersion = meta && this.#is(VERSION, start, keyEnd)
    const isUpdated = meta && this.#is(UPDATED, start, keyEnd)
    this.#once(Number(isMeta) | (Number(isVersion) << 1) | (Number(isUpdated) << 2))
    this.#value(depth, isMeta)
    const left =
      isVersion || isUpdated || (isMeta && this.#end === keyEnd + 3 && this.#out[keyEnd + 1] === OPEN_OBJECT)
    if (left) {
      this.#end = start
      return false
    }
    this.#out[this.#end++] = COMMA
    this.#starts.push(start)
    this.#keyEnds.push(keyEnd)
    return true
  }

  /** What may be left out must not stand there twice either. */
  #once(key: number): void {
    if ((this.#met & key) !== 0) throw new Refused('LINE_NOT_JSON')
    this.#met |= key
  }

  /** In place of the last comma, if there is one. */
  #close(first: number, bracket: number): void {
    this.#at++
    if (this.#end > first) this.#end--
    this.#out[this.#end++] = bracket
  }

  #is(word: Buffer | undefined, start: number, end: number): boolean {
    if (word?.length !== end - start) return false
    for (let n = 0; n < word.length; n++) if (this.#out[start + n] !== word[n]) return false
    return true
  }

  /** Copies a string; one with an escape that might be written otherwise is written anew. */
  #string(): void {
    const json = this.#json
    const out = this.#out
    const from = this.#at
    let at = from + 1
    let end = this.#end
    out[end++] = QUOTE
    for (;;) {
      const c = json[at++] as number
      out[end++] = c
      if (c === QUOTE) break
      if (c !== BACKSLASH) continue
      const escape = json[at++] as number
      if (!OWN_ESCAPES.has(escape)) return this.#rewritten(from, at)
      out[end++] = escape
    }
    this.#at = at
    this.#end = end
  }

  #rewritten(from: number, at: number): void {
    let end = at
    while (this.#json[end] !== QUOTE) end += this.#json[end] === BACKSLASH ? 2 : 1
    this.#at = end + 1
    const text = new TextDecoder().decode(this.#json.subarray(from, this.#at))
    this.#end += this.#out.write(JSON.stringify(JSON.parse(text)), this.#end)
  }

  /** By the text of the keys, as written here and with their quotes. */
  #compare(a: number, b: number): number {
    const out = this.#out
    const from = this.#starts[a] as number
    const other = this.#starts[b] as number
    const end = this.#keyEnds[a] as number
    const otherEnd = this.#keyEnds[b] as number
    const shorter = Math.min(end - from, otherEnd - other)
    for (let n = 0; n < shorter; n++) {
      const c = out[from + n] as number
      const d = out[other + n] as number
      if (c === d) continue
      if (c < 128 && d < 128) return c - d
      // bytes sort by code point, which is another order beyond the first plane
      return out.toString('utf8', from, end) < out.toString('utf8', other, otherEnd) ? -1 : 1
    }
    if (end - from === otherEnd - other) throw new Refused('LINE_NOT_JSON')
    return end - from - (otherEnd - other)
  }

  #sort(base: number, first: number): void {
    const out = this.#out
    const end = this.#end
    const order = this.#order
    const count = this.#starts.length - base
    order.length = 0
    for (let n = 0; n < count; n++) order.push(base + n)
    if (count > INSERTION_MAX) order.sort((a, b) => this.#compare(a, b))
    else
      for (let n = 1; n < count; n++) {
        const moved = order[n] as number
        let to = n
        for (; to > 0 && this.#compare(order[to - 1] as number, moved) > 0; to--)
          order[to] = order[to - 1] as number
        order[to] = moved
      }
    this.#starts.push(end)
    let at = end
    for (const n of order) {
      const from = this.#starts[n] as number
      const until = this.#starts[n + 1] as number
      out.copyWithin(at, from, until)
      at += until - from
    }
    out.copyWithin(first, end, at)
  }

  #skipSpace(): number {
    let c = this.#json[this.#at] as number
    while (c === 32 || c === 10 || c === 13 || c === 9) c = this.#json[++this.#at] as number
    return c
  }
}

const scanner = new Scanner()
