/** HL7 v2, the pipe form, read strictly and bounded. Nothing here throws. */
export const MESSAGE_BYTES_MAX = 1024 * 1024
const SEGMENTS_MAX = 2000
const FIELDS_MAX = 400

export interface Hl7Message {
  segments: readonly Segment[]
  separators: Separators
}

export interface Segment {
  name: string
  /** Raw text; index 1 is the first field after the name, as HL7 counts. For MSH, 1 is the separator itself. */
  fields: readonly string[]
}

interface Separators {
  field: string
  component: string
  repetition: string
  escape: string
  subcomponent: string
}

/** `null`: not a message. */
export function readMessage(text: string): Hl7Message | null {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '')
  const head = lines[0]
  if (head === undefined || !head.startsWith('MSH') || lines.length > SEGMENTS_MAX) return null
  const separators = separatorsOf(head)
  if (separators === null) return null
  const segments: Segment[] = []
  for (const [at, line] of lines.entries()) {
    const parts = line.split(separators.field)
    const name = parts[0] ?? ''
    if (!/^[A-Z][A-Z0-9]{2}$/.test(name) || parts.length > FIELDS_MAX) return null
    if (at > 0 && name === 'MSH') return null
    segments.push({ name, fields: name === 'MSH' ? ['MSH', separators.field, ...parts.slice(1)] : parts })
  }
  return { segments, separators }
}

function separatorsOf(head: string): Separators | null {
  const [field, component, repetition, escape, subcomponent = ''] = head.slice(3, 8)
  if (field === undefined || component === undefined || repetition === undefined || escape === undefined)
    return null
  const used = [field, component, repetition, escape]
  if (used.some((c) => /[A-Za-z0-9\s]/.test(c)) || new Set(used).size < used.length) return null
  return { field, component, repetition, escape, subcomponent: subcomponent === field ? '' : subcomponent }
}

interface Place {
  segment: string
  field: number
  component: number
  subcomponent: number
}

function placeOf(text: string): Place | null {
  const read = /^([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,3})(?:\.(\d{1,3}))?)?$/.exec(text)
  if (!read) return null
  return {
    segment: read[1] ?? '',
    field: Number(read[2]),
    component: Number(read[3] ?? 1),
    subcomponent: Number(read[4] ?? 1),
  }
}

/** Every value at a place such as `PID-3.1`, over all repetitions and all segments of that name; unescaped. */
export function valuesAt(message: Hl7Message, place: string): string[] {
  const at = placeOf(place)
  if (at === null) return []
  return message.segments
    .filter((segment) => segment.name === at.segment)
    .flatMap((segment) => valuesIn(message, segment, at))
}

export function firstAt(message: Hl7Message, place: string): string {
  return valuesAt(message, place).find((value) => value !== '') ?? ''
}

function valuesIn({ separators: s }: Hl7Message, segment: Segment, at: Place): string[] {
  const raw = segment.fields[at.field] ?? ''
  if (segment.name === 'MSH' && at.field <= 2) return [raw]
  return raw.split(s.repetition).map((repetition) => {
    const component = repetition.split(s.component)[at.component - 1] ?? ''
    const sub =
      s.subcomponent === '' ? component : (component.split(s.subcomponent)[at.subcomponent - 1] ?? '')
    return unescaped(sub, s).trim()
  })
}

/** Conditions on one segment name must hold in one and the same segment. */
export function holds(
  message: Hl7Message,
  conditions: readonly { at: string; is: readonly string[] }[],
): boolean {
  const bySegment = Map.groupBy(conditions, (one) => one.at.slice(0, 3))
  return [...bySegment].every(([name, ofSegment]) =>
    message.segments
      .filter((segment) => segment.name === name)
      .some((segment) =>
        ofSegment.every(({ at, is }) => {
          const place = placeOf(at)
          return place !== null && valuesIn(message, segment, place).some((value) => is.includes(value))
        }),
      ),
  )
}

function unescaped(text: string, s: Separators): string {
  if (!text.includes(s.escape)) return text
  const named: Record<string, string> = {
    F: s.field,
    S: s.component,
    R: s.repetition,
    E: s.escape,
    T: s.subcomponent,
  }
  return text
    .split(s.escape)
    .map((part, at, all) => (at % 2 === 1 && at < all.length - 1 ? (named[part] ?? '') : part))
    .join('')
}

/** Messages of a file: each begins with MSH at the start of a line; frames of MLLP are taken off. */
export function messagesOf(text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  // oxlint-disable-next-line no-control-regex -- the frame of MLLP
  const lines = text.replaceAll(/[\u000b\u001c]/g, '').split(/\r\n|\r|\n/)
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('MSH') || (found.length === 0 && line.trim() !== ''))
      found.push({ line: at + 1, text: line })
    else if (line !== '') {
      const last = found.at(-1)
      if (last) last.text += `\r${line}`
    }
  }
  return found
}
