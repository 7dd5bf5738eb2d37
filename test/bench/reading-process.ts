/**
 * A process of its own, so that its memory is the reader's: `node reading-process.ts FOLDER STORE` reads a folder of
 * exports into the ledger, then everything of everybody afresh as for sending, and prints one line of JSON.
 */
import { takePatient } from '@kakehashi/agent/patients/flow'
import { patientByIdentifier } from '@kakehashi/agent/patients/store'
import { BulkFolder } from '@kakehashi/agent/sources/fhir/bulk-folder'
import { gather } from '@kakehashi/agent/sources/flow'
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { sourceIndex } from '@kakehashi/agent/sources/source-index'
import { patientsToRead } from '@kakehashi/agent/sources/store'
import { openAgentStore } from '@kakehashi/agent/store/store'
import { systemEnv } from '@kakehashi/protocol/env'
import { facilityId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'

const [folder = '', location = ''] = process.argv.slice(2)
const env = systemEnv()
const { signal } = new AbortController()
const store = await openAgentStore(location, env)
const index = sourceIndex(store as never, (system, value) => patientByIdentifier(store.db, system, value))
const connector = new BulkFolder({
  source: 'ehr',
  facility: facilityId('bench'),
  labels: LABEL_POLICY,
  bases: [],
  folder,
  index,
})

const begun = performance.now()
const { seen, held } = await gather({
  store: store as never,
  connector,
  env,
  log: silentLog,
  signal,
  showPatient: (tx, shown) => takePatient(tx as never, shown, env.now(), async () => {}),
})
const ledgerSeconds = (performance.now() - begun) / 1000

const PATIENTS = 500
let [records, bytes] = [0, 0]
const fetching = performance.now()
for (let page = await patientsToRead(store.db, PATIENTS); page.length > 0;) {
  const patients = page.map(({ patient }) => patient)
  for await (const event of connector.fetchPatients(patients, signal))
    if (event.t === 'record') {
      records++
      bytes += event.record.payload.length
    }
  page = await patientsToRead(store.db, PATIENTS, page.at(-1))
}
const fetchSeconds = (performance.now() - fetching) / 1000
const peakMiB = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ seen, held, ledgerSeconds, records, bytes, fetchSeconds, peakMiB }))
await store.close()
