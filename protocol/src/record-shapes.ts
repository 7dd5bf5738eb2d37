import { MalformedId, parsePatientKey } from './ids.ts'
import { BATCH_PATIENTS_MAX, RECORD_BYTES_MAX } from './limits.ts'
import type { SourceRecord, Tombstone } from './records.ts'
import { ITEM_CLASSES } from './rules/state.ts'

/**
 * Strict shapes of what a batch has thousands of. Written out by hand, and not as the shapes of `shapes.ts`, because
 * they are most of the work of reading a batch. The length limits are generous: the one that counts is the line's.
 */
export type Description = Omit<SourceRecord, 'payload'> & { bytes: number }

const NAME_MAX = 2048
const TEXT_MAX = 8192
const LABELS_MAX = 1000
const HASH = /^[0-9a-f]{64}$/
const ITEMS: ReadonlySet<unknown> = new Set(ITEM_CLASSES)
const REASONS: ReadonlySet<unknown> = new Set([
  'deleted',
  'vanished',
  'superseded',
  'cancelled',
  'not-restored',
])

type Check = (value: unknown) => boolean

const name: Check = (v) => typeof v === 'string' && v.length > 0 && v.length <= NAME_MAX
const text: Check = (v) => typeof v === 'string' && v.length <= TEXT_MAX
const count: Check = (v) => Number.isSafeInteger(v) && (v as number) >= 0
const optional =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v)
const listOf =
  (check: Check, max: number): Check =>
  (v) =>
    Array.isArray(v) && v.length <= max && v.every((item) => check(item))

/** An object with these members and no other. */
function shaped(members: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(members)
  const known = new Set(Object.keys(members))
  return (v) => {
    if (typeof v !== 'object' || v === null || Array.isArray(v)) return false
    for (const key in v) if (!known.has(key)) return false
    for (const [key, check] of checks) if (!check((v as Record<string, unknown>)[key])) return false
    return true
  }
}

const patient: Check = (v) => {
  try {
    return typeof v === 'string' && parsePatientKey(v) === v
  } catch (error) {
    if (error instanceof MalformedId) return false
    throw error
  }
}

const key = shaped({ source: name, type: name, id: name })
const patients = listOf(patient, BATCH_PATIENTS_MAX)
const labels = listOf(text, LABELS_MAX)

const isDescription = shaped({
  key,
  contentHash: (v) => typeof v === 'string' && HASH.test(v),
  sourceVersion: optional(text),
  sourceTime: optional(text),
  patients,
  item: (v) => ITEMS.has(v),
  labels: shaped({ security: labels, tags: labels }),
  mediaType: name,
  provenance: shaped({ url: optional(text), file: optional(text), line: optional(count), run: text }),
  bytes: (v) => count(v) && (v as number) <= RECORD_BYTES_MAX,
})

const isTombstone = shaped({ key, patients, reason: (v) => REASONS.has(v), at: optional(text) })

/** Whether the record can travel: a source sets aside what does not, before it spoils a batch. */
export function fitsEnvelope({ payload, ...described }: SourceRecord): boolean {
  return isDescription({ ...described, bytes: payload.length })
}

export function readDescription(value: unknown): Description | null {
  return isDescription(value) ? (value as Description) : null
}

export function readTombstone(value: unknown): Tombstone | null {
  return isTombstone(value) ? (value as Tombstone) : null
}
