/** HL7 v2.5 in its pipe form, read lazily and within bounds. Nothing here throws. */
export const SEGMENTS_MAX = 20_000
export const FIELDS_MAX = 1000

export interface Separators {
  field: string
  component: string
  repetition: string
  escape: string
  subcomponent: string
}

/** `null`: the sender says to delete it (`""`); `undefined`: unknown (empty). */
export type Value = string | null | undefined

export class Segment {
  readonly name: string
  readonly raw: string
  /** Which line of the message it is, from 0. */
  readonly line: number
  readonly #separators: Separators
  #fields: string[] | null = null

  constructor(raw: string, line: number, separators: Separators) {
    const end = raw.indexOf(separators.field)
    this.name = end < 0 ? raw : raw.slice(0, end)
    this.raw = raw
    this.line = line
    this.#separators = separators
  }

  /** As HL7 counts: 1 is the first after the name; of MSH, 1 is the separator itself. */
  field(n: number): string {
    this.#fields ??= this.#split()
    return this.#fields[n] ?? ''
  }

  get fields(): number {
    this.#fields ??= this.#split()
    return this.#fields.length - 1
  }

  #split(): string[] {
    const parts = this.raw.split(this.#separators.field, FIELDS_MAX + 1)
    return this.name === 'MSH' ? ['MSH', this.#separators.field, ...parts.slice(1)] : parts
  }

  repetitions(n: number): Composite[] {
    const text = this.field(n)
    if (text === '') return []
    if (this.name === 'MSH' && n <= 2) return [new Composite(text, null)]
    return text.split(this.#separators.repetition).map((one) => new Composite(one, this.#separators))
  }

  at(n: number, component = 1, subcomponent = 1): Value {
    return this.repetitions(n)[0]?.at(component, subcomponent)
  }

  /** The text, where neither unknown nor to be deleted. */
  text(n: number, component = 1, subcomponent = 1): string {
    return this.at(n, component, subcomponent) ?? ''
  }

  first(n: number): Composite {
    return this.repetitions(n)[0] ?? new Composite('', this.#separators)
  }
}

/** One repetition of a field. */
export class Composite {
  readonly raw: string
  readonly #separators: Separators | null
  #components: string[] | null = null

  constructor(raw: string, separators: Separators | null) {
    this.raw = raw
    this.#separators = separators
  }

  at(component = 1, subcomponent = 1): Value {
    const s = this.#separators
    if (s === null) return component === 1 && subcomponent === 1 ? this.raw : undefined
    this.#components ??= this.raw.split(s.component, FIELDS_MAX)
    const whole = this.#components[component - 1] ?? ''
    const part =
      s.subcomponent === '' ? [whole][subcomponent - 1] : whole.split(s.subcomponent)[subcomponent - 1]
    if (part === undefined || part === '') return undefined
    return part === '""' ? null : unescaped(part, s)
  }

  text(component = 1, subcomponent = 1): string {
    return (this.at(component, subcomponent) ?? '').trim()
  }

  /** The parts of one component as a composite of their own: `1013&内服&JAMISDP01`. */
  inside(component: number): Composite {
    const s = this.#separators
    if (s === null || s.subcomponent === '') return this
    const whole = this.raw.split(s.component, FIELDS_MAX)[component - 1] ?? ''
    return new Composite(whole, { ...s, component: s.subcomponent, subcomponent: '' })
  }
}

export interface Message {
  segments: readonly Segment[]
  separators: Separators
}

export type MessageFault = 'empty' | 'not-hl7' | 'too-long'

export function isMessage(read: Message | MessageFault): read is Message {
  return typeof read !== 'string'
}

/** Segments end with CR, LF or both; what ends a file or a frame (FS, VT, EOF, NUL) is no part of it. */
export function linesOf(text: string): string[] {
  // oxlint-disable-next-line no-control-regex -- the ends of files and frames
  return text.replaceAll(/[\u000b\u001a\u001c\0\ufeff]/g, '').split(/\r\n|\r|\n/)
}

export function readMessage(text: string): Message | MessageFault {
  const lines = linesOf(text)
  const head = lines.findIndex((line) => line !== '')
  if (head < 0) return 'empty'
  const separators = separatorsOf(lines[head] as string)
  if (separators === null) return 'not-hl7'
  if (lines.length > SEGMENTS_MAX) return 'too-long'
  const segments: Segment[] = []
  for (const [line, raw] of lines.entries()) {
    if (raw === '') continue
    const segment = new Segment(raw, line, separators)
    if (!/^[A-Z][A-Z0-9]{2}$/.test(segment.name)) return 'not-hl7'
    segments.push(segment)
  }
  return { segments, separators }
}

function separatorsOf(head: string): Separators | null {
  if (!head.startsWith('MSH')) return null
  const [field = '', component = '', repetition = '', escape = '', fifth = ''] = head.slice(3, 8)
  const subcomponent = fifth === field ? '' : fifth
  const used = [field, component, repetition, escape, subcomponent].filter((sign) => sign !== '')
  if (used.length < 4 || new Set(used).size < used.length) return null
  if (used.some((sign) => /[A-Za-z0-9\s"]/.test(sign))) return null
  return { field, component, repetition, escape, subcomponent }
}

/** `\F\ \S\ \R\ \E\ \T\`, `\.br\` and `\Xhh…\` of ASCII; other sequences stay as they are written. */
export function unescaped(text: string, s: Separators): string {
  if (!text.includes(s.escape)) return text
  const named: Record<string, string> = {
    F: s.field,
    S: s.component,
    R: s.repetition,
    E: s.escape,
    T: s.subcomponent,
    '.br': '\n',
  }
  let out = ''
  let at = 0
  for (;;) {
    const from = text.indexOf(s.escape, at)
    const to = from < 0 ? -1 : text.indexOf(s.escape, from + 1)
    if (to < 0) return out + text.slice(at)
    const name = text.slice(from + 1, to)
    const meant = Object.hasOwn(named, name) ? named[name] : hexadecimal(name)
    out += text.slice(at, from) + (meant ?? text.slice(from, to + 1))
    at = to + 1
  }
}

function hexadecimal(name: string): string | null {
  if (!/^X(?:[0-7][0-9A-Fa-f])+$/.test(name)) return null
  return Buffer.from(name.slice(1), 'hex').toString('latin1')
}

export function segmentsOf(message: Message, name: string): Segment[] {
  return message.segments.filter((segment) => segment.name === name && segment.fields > 0)
}

export function firstSegment(message: Message, name: string): Segment | undefined {
  return message.segments.find((segment) => segment.name === name && segment.fields > 0)
}

/** Segments in groups that each begin with one of `heads`; what precedes the first is left out. */
export function groupsOf(segments: readonly Segment[], ...heads: string[]): Segment[][] {
  const groups: Segment[][] = []
  for (const segment of segments) {
    if (heads.includes(segment.name)) groups.push([segment])
    else groups.at(-1)?.push(segment)
  }
  return groups
}
