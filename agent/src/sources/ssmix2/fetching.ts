import type { PatientKey } from '@kakehashi/protocol/ids'
import type { FetchEvent } from '../connector.ts'
import { namesOfPatient } from './listing.ts'
import { type KeyRead, keysOf, readKeys, type StorageOptions } from './reading.ts'
import { refusedPlace, type Telling, tellDocument, tellFile } from './telling.ts'

export interface PatientFolder {
  path: string
  folder: string
  institution: string | null
}

/** One patient's valid files, read afresh; not complete while one of them is being written or renamed. */
export async function* fetchFromStorage(
  options: StorageOptions,
  patient: PatientKey,
  folders: readonly PatientFolder[],
): AsyncGenerator<FetchEvent> {
  let complete = true
  for (const { path, folder, institution } of folders) {
    let names: string[]
    try {
      names = await namesOfPatient(path)
    } catch {
      complete = false
      continue
    }
    const keys = [...keysOf(folder, names).values()]
    for await (const { read } of readKeys(path, keys, options.env.now())) {
      if (read.t === 'deleted' || read.t === 'none') continue
      if (read.t === 'file' && ['unsettled', 'moved', 'failed'].includes(read.read.t)) {
        complete = false
        continue
      }
      const telling = tellingOf(options, read, { institution, run: 'fetch' })
      yield* telling.events
    }
  }
  yield { t: 'patient-read', patient, complete }
}

function tellingOf(
  options: StorageOptions,
  read: Extract<KeyRead, { t: 'file' | 'refused' }>,
  about: { institution: string | null; run: string },
): Telling {
  if (read.t === 'file' && read.read.t === 'read')
    return tellFile(options, read.read.bytes, read.placed, about)
  if (read.t === 'file' && read.read.t === 'document')
    return tellDocument(options, read.read.files, read.placed, about)
  return refusedPlace(read.placed)
}
