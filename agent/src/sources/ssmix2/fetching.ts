import type { PatientKey } from '@kakehashi/protocol/ids'
import type { FetchEvent } from '../connector.ts'
import { namesOfPatient } from './listing.ts'
import { keysOf, readKeys, type StorageOptions } from './reading.ts'
import { refusedPlace, type Telling, tellFile } from './telling.ts'

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
      if (read.t === 'file' && read.read.t !== 'read' && read.read.t !== 'too-long') {
        complete = false
        continue
      }
      const telling: Telling =
        read.t === 'file' && read.read.t === 'read'
          ? tellFile(options, read.read.bytes, read.placed, { institution, run: 'fetch' })
          : refusedPlace(read.placed)
      yield* telling.events
    }
  }
  yield { t: 'patient-read', patient, complete }
}
