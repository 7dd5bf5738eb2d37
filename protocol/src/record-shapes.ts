import { z } from 'zod'
import { BATCH_PATIENTS_MAX, RECORD_BYTES_MAX } from './limits.ts'
import type { RecordKey, SourceRecord, Tombstone } from './records.ts'
import { COUNT, DIGEST, ITEM, PATIENT } from './shapes.ts'

/** Generous: the limit that counts is that of the whole line. */
const NAME = z.string().min(1).max(2048)
const TEXT = z.string().max(8192)
const LABELS = z.array(TEXT).max(1000)

const RECORD_KEY: z.ZodType<RecordKey> = z.strictObject({ source: NAME, type: NAME, id: NAME })

/** A record without its payload, and how many bytes of payload follow. */
export type Description = Omit<SourceRecord, 'payload'> & { bytes: number }

const DESCRIPTION: z.ZodType<Description> = z.strictObject({
  key: RECORD_KEY,
  contentHash: DIGEST,
  sourceVersion: TEXT.exactOptional(),
  sourceTime: TEXT.exactOptional(),
  patients: z.array(PATIENT).max(BATCH_PATIENTS_MAX),
  item: ITEM,
  labels: z.strictObject({ security: LABELS, tags: LABELS }),
  mediaType: NAME,
  provenance: z.strictObject({
    url: TEXT.exactOptional(),
    file: TEXT.exactOptional(),
    line: COUNT.exactOptional(),
    run: TEXT,
  }),
  bytes: COUNT.max(RECORD_BYTES_MAX),
})

const TOMBSTONE: z.ZodType<Tombstone> = z.strictObject({
  key: RECORD_KEY,
  patients: z.array(PATIENT).max(BATCH_PATIENTS_MAX),
  reason: z.enum(['deleted', 'vanished', 'superseded', 'cancelled']),
  at: TEXT.exactOptional(),
})

/** Whether the record can travel: a source sets aside what does not, before it spoils a batch. */
export function fitsEnvelope({ payload, ...described }: SourceRecord): boolean {
  return DESCRIPTION.safeParse({ ...described, bytes: payload.length }).success
}

export function readDescription(value: unknown): Description | null {
  const read = DESCRIPTION.safeParse(value)
  return read.success ? read.data : null
}

export function readTombstone(value: unknown): Tombstone | null {
  const read = TOMBSTONE.safeParse(value)
  return read.success ? read.data : null
}
