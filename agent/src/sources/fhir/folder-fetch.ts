import { open } from 'node:fs/promises'
import { setImmediate as othersTurn } from 'node:timers/promises'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { FetchEvent, SourceEvent } from '../connector.ts'
import { bytesOf, printOf, printOfStat, type FolderFile } from './folder-files.ts'
import { Hold, type PatientSpan } from './hold.ts'
import { linesOf, withoutMark } from './lines.ts'
import { type FhirReading, tell } from './telling.ts'

/** Spans of one patient nearer than this are read together. */
const GAP_BYTES = 16 * 1024
const READ_BYTES_MAX = 4 * 1024 * 1024

/**
 * Reads patients by the spans the scan remembered. Plain files are read at their places, a patient at a time. Packed
 * files have no places: each is unpacked once per group of patients, as many as {@link Hold} has room for.
 */
export async function* fetchFromFolder(
  reading: FhirReading,
  readable: readonly FolderFile[],
  patients: readonly PatientKey[],
  signal: AbortSignal,
): AsyncGenerator<FetchEvent> {
  const files = new Map(readable.map((file) => [file.name, file]))
  const spans = Map.groupBy(await reading.index.spans(reading.source, patients), (span) => span.patient)
  for (let done = 0; done < patients.length;) {
    const hold = await unpack(patients.slice(done), spans, files, signal)
    for (const patient of hold.patients) {
      yield* patientFrom(reading, patient, spans.get(patient) ?? [], files, hold)
      signal.throwIfAborted()
    }
    done += hold.patients.length
  }
}

/** Of a record given twice the later one prevails, as it does in the ledger. */
async function* patientFrom(
  reading: FhirReading,
  patient: PatientKey,
  spans: PatientSpan[],
  files: Map<string, FolderFile>,
  hold: Hold,
): AsyncGenerator<FetchEvent> {
  const found = new Map<string, SourceEvent>()
  let complete = spans.every((span) => files.has(span.file))
  for (const read of readsOf(spans, files)) {
    const bytes = await readRange(read)
    for (const span of read.spans) {
      const part = bytes?.subarray(span.start - read.start, span.start - read.start + span.length)
      const lines = part ?? hold.take(span)
      await othersTurn()
      if (!lines) complete = false
      else
        for await (const event of recordsOf(reading, lines, span, patient)) {
          const key = event.t === 'record' ? event.record.key : event.t === 'held' ? event.key : null
          const name = key === null ? `other ${found.size}` : `${key.type}/${key.id}`
          found.delete(name)
          found.set(name, event)
        }
    }
  }
  yield* found.values()
  yield { t: 'patient-read', patient, complete }
}

interface Read {
  file: FolderFile
  start: number
  end: number
  spans: PatientSpan[]
}

/** In file order; spans of plain files that lie close together become one read. */
function readsOf(spans: PatientSpan[], files: Map<string, FolderFile>): Read[] {
  const order = [...files.keys()]
  const sorted = spans
    .filter((span) => files.has(span.file))
    .toSorted((a, b) => order.indexOf(a.file) - order.indexOf(b.file) || a.start - b.start)
  const reads: Read[] = []
  for (const span of sorted) {
    const file = files.get(span.file) as FolderFile
    const last = reads.at(-1)
    const end = span.start + span.length
    if (last?.file === file && span.start - last.end <= GAP_BYTES && end - last.start <= READ_BYTES_MAX) {
      last.end = Math.max(last.end, end)
      last.spans.push(span)
    } else reads.push({ file, start: span.start, end, spans: [span] })
  }
  return reads
}

/** The bytes of the spans in packed files; a file that breaks on the way leaves its spans out. */
async function unpack(
  patients: readonly PatientKey[],
  spans: Map<PatientKey, PatientSpan[]>,
  files: Map<string, FolderFile>,
  signal: AbortSignal,
): Promise<Hold> {
  const hold = new Hold(patients)
  const wanted = patients.flatMap((patient) => spans.get(patient) ?? [])
  for (const [name, own] of Map.groupBy(wanted, (span) => span.file)) {
    const file = files.get(name)
    if (file?.form !== 'gz') continue
    const sorted = own.toSorted((a, b) => a.start - b.start)
    let next = 0
    let at = 0
    const open = new Map<PatientSpan, Buffer>()
    const spare: Buffer[] = []
    try {
      for await (const chunk of bytesOf(file, 0, signal)) {
        const end = at + chunk.length
        for (; next < sorted.length && (sorted[next] as PatientSpan).start < end; next++) {
          const span = sorted[next] as PatientSpan
          if (hold.wants(span.patient)) open.set(span, roomFor(span.length, spare))
        }
        for (const [span, bytes] of open) {
          const from = Math.max(span.start, at)
          const to = Math.min(span.start + span.length, end)
          bytes.set(chunk.subarray(from - at, to - at), from - span.start)
          if (to < span.start + span.length) continue
          hold.keep(span, bytes.subarray(0, span.length))
          open.delete(span)
          spare.push(bytes)
        }
        at = end
        if (next === sorted.length && open.size === 0) break
      }
      if ((await printOf(file.path)).print !== file.print) throw new Error('replaced')
    } catch {
      signal.throwIfAborted()
      for (const span of own) hold.drop(span)
    }
  }
  return hold
}

const ROOM_BYTES_MIN = 256 * 1024

/** What held a span before holds the next: nearly always one is enough. */
function roomFor(bytes: number, spare: Buffer[]): Buffer {
  const before = spare.pop()
  return before && before.length >= bytes ? before : Buffer.allocUnsafeSlow(Math.max(bytes, ROOM_BYTES_MIN))
}

/** `null` for a packed file, whose spans were unpacked before, and for one that can no longer be read. */
async function readRange(read: Read): Promise<Buffer | null> {
  if (read.file.form === 'gz') return null
  try {
    await using handle = await open(read.file.path, 'r')
    const bytes = Buffer.allocUnsafe(read.end - read.start)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, read.start)
    // the export may have put another file in its place since its print was taken
    const same = printOfStat(await handle.stat({ bigint: true })) === read.file.print
    return same && bytesRead === bytes.length ? bytes : null
  } catch {
    return null
  }
}

/** The records of `patient` in one span. */
async function* recordsOf(
  reading: FhirReading,
  bytes: Buffer,
  span: PatientSpan,
  patient: PatientKey,
): AsyncGenerator<SourceEvent> {
  const run = 'fetch'
  const units = /\.json$/i.test(span.file) ? whole(bytes) : linesOf(once(bytes), span)
  for await (const lines of units) {
    for (const line of lines) {
      if (line.bytes === null) continue
      const place = {
        provenance: { file: span.file, line: line.line, run },
        place: `${span.file}:${line.line}`,
      }
      for (const event of await tell(reading, line.bytes, place)) {
        if (event.t === 'record' && !event.record.patients.includes(patient)) continue
        if (event.t === 'held' && !event.patients.includes(patient)) continue
        yield event
      }
    }
  }
}

function whole(bytes: Buffer): { bytes: Buffer; line: number }[][] {
  return [[{ bytes: withoutMark(bytes), line: 1 }]]
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
