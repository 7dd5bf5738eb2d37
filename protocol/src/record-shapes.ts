import { z } from 'zod'
import { BATCH_PATIENTS_MAX, RECORD_BYTES_MAX } from './limits.ts'
import type { RecordKey, SourceRecord, Tombstone } from './records.ts'
import { COUNT, DIGEST, ITEM, PATIENT } from './shapes.ts'

const NAME = z.string().min(1).max(512)
const LABELS = z.array(z.string().max(512)).max(100)

const RECORD_KEY: z.ZodType<RecordKey> = z.strictObject({ source: NAME, type: NAME, id: NAME })

/** A record without its payload, and how many bytes of payload follow. */
export type Description = Omit<SourceRecord, 'payload'> & { bytes: number }

const DESCRIPTION: z.ZodType<Description> = z.strictObject({
  key: RECORD_KEY,
  contentHash: DIGEST,
  sourceVersion: z.string().max(512).exactOptional(),
  sourceTime: z.string().max(64).exactOptional(),
  patients: z.array(PATIENT).max(BATCH_PATIENTS_MAX),
  item: ITEM,
  labels: z.strictObject({ security: LABELS, tags: LABELS }),
  mediaType: z.string().min(1).max(255),
  provenance: z.strictObject({
    url: z.string().max(2048).exactOptional(),
    file: z.string().max(1024).exactOptional(),
    line: COUNT.exactOptional(),
    run: z.string().max(255),
  }),
  bytes: COUNT.max(RECORD_BYTES_MAX),
})

const TOMBSTONE: z.ZodType<Tombstone> = z.strictObject({
  key: RECORD_KEY,
  patients: z.array(PATIENT).max(BATCH_PATIENTS_MAX),
  reason: z.enum(['deleted', 'vanished', 'superseded', 'cancelled']),
  at: z.string().max(64).exactOptional(),
})

export function readDescription(value: unknown): Description | null {
  const read = DESCRIPTION.safeParse(value)
  return read.success ? read.data : null
}

export function readTombstone(value: unknown): Tombstone | null {
  const read = TOMBSTONE.safeParse(value)
  return read.success ? read.data : null
}
