import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Instant } from '@kakehashi/protocol/env'
import { decodeStored } from '../hl7v2/decode.ts'
import { firstSegment, isMessage, readMessage } from '../hl7v2/message.ts'
import { fhirTime } from '../hl7v2/time.ts'
import type { StoredName } from './file-name.ts'
import { resourceId } from './map/resource-id.ts'
import { filled, type Json, type Mapped, patientIdOf, resource, systemOf } from './map/source.ts'
import { namesIn } from './roots.ts'
import { FILE_BYTES_MAX, type FileRead, readSettled } from './settled-file.ts'

/** One content folder of the extension storage: a main document, and what belongs to it. */
export interface DocumentFile {
  name: string
  bytes: Uint8Array
}

export type DocumentRead = { t: 'document'; files: DocumentFile[] } | Exclude<FileRead, { t: 'read' }>

const FILES_MAX = 200
/** Base 64 and the rest of the resource must still fit into one record. */
const DOCUMENT_BYTES_MAX = Math.floor(FILE_BYTES_MAX * 0.7)

/** The kind's folder of the extension storage names its code, name and list: `L-OBS^観察^99ZL01[^code^name^LN]`. */
export function isExtensionKind(kind: string): boolean {
  return kind.includes('^')
}

export async function readDocument(folder: string, now: Instant): Promise<DocumentRead> {
  let names: string[]
  try {
    names = await namesIn(folder)
  } catch {
    return { t: 'failed' }
  }
  if (names.length > FILES_MAX) return { t: 'too-long' }
  const files: DocumentFile[] = []
  let sum = 0
  for (const name of names.toSorted((a, b) => Number(isMain(b)) - Number(isMain(a)) || (a < b ? -1 : 1))) {
    const read = await readSettled(join(folder, name), now)
    if (read.t !== 'read') return read
    sum += read.bytes.length
    if (sum > DOCUMENT_BYTES_MAX) return { t: 'too-long' }
    files.push({ name, bytes: read.bytes })
  }
  return { t: 'document', files }
}

function isMain(name: string): boolean {
  return /^main_?document/i.test(name)
}

export type Document = Mapped | 'FILE_EMPTY' | 'PATIENT_MISMATCH'

/** The document as a `DocumentReference` whose attachments are the files, byte for byte. */
export function documentOf(
  name: StoredName,
  kind: string,
  files: readonly DocumentFile[],
  institution: string | null,
): Document {
  const [main] = files
  if (!main || main.bytes.length === 0) return 'FILE_EMPTY'
  if (!isOf(name.patient, main)) return 'PATIENT_MISMATCH'
  const [code = '', display = '', system = '', standard = '', title = '', list = ''] = kind.split('^')
  const coding = [
    filled({ system: systemOf(system, code, institution), code, display }),
    ...(standard === ''
      ? []
      : [
          filled({
            system: list === 'LN' ? 'http://loinc.org' : systemOf(list, standard, institution),
            code: standard,
            display: title,
          }),
        ]),
  ]
  const at = fhirTime(name.at)
  const day = name.date === '-' ? null : fhirTime(name.date)
  return {
    resource: resource(
      'DocumentReference',
      resourceId(name.patient, name.date, name.kind, name.order, 'DOC'),
      {
        status: 'current',
        type: { coding, text: title || display },
        subject: { reference: `Patient/${patientIdOf(name.patient)}` },
        content: files.map((file) => ({ attachment: attachmentOf(file) })),
        context: filled({ period: filled({ start: day ?? at }) }),
      },
    ),
    segments: [],
  }
}

const MEDIA: Readonly<Record<string, string>> = {
  xml: 'text/xml',
  pdf: 'application/pdf',
  hl7: 'x-application/hl7-v2+er7',
  dcm: 'application/dicom',
  txt: 'text/plain',
  html: 'text/html',
  jpg: 'image/jpeg',
  png: 'image/png',
}

function attachmentOf({ name, bytes }: DocumentFile): Json {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''
  return {
    contentType: MEDIA[ending] ?? 'application/octet-stream',
    data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    size: bytes.length,
    hash: hash('sha1', bytes, 'base64'),
    title: name,
  }
}

/** Where the document itself says whose it is, it must be the folder's patient (S1). */
function isOf(patient: string, { bytes }: DocumentFile): boolean {
  const text = decodeStored(bytes)?.text ?? ''
  const message = text.startsWith('MSH') ? readMessage(text) : 'not-hl7'
  if (isMessage(message)) return firstSegment(message, 'PID')?.text(3, 1).trim() === patient
  const target = /<(?:\w+:)?recordTarget\b[\s\S]*?<\/(?:\w+:)?recordTarget>/.exec(text)?.[0]
  return target === undefined || target.includes(`extension="${patient}"`)
}
