/**
 * A process of its own, so that its memory is the reader's: `node reading-process.ts FOLDER STORE` reads a folder of
 * exports into the ledger, then everything of everybody afresh as for sending, and prints one line of JSON.
 */
import { patientsToRead } from '@kakehashi/agent/sources/store'
import { openLedgerReader } from '@kakehashi/test/hospital/ledger-reader'

const [folder = '', location = ''] = process.argv.slice(2)
const { store, connector, gather } = await openLedgerReader(folder, location)

const begun = performance.now()
const { seen, held } = await gather()
const ledgerSeconds = (performance.now() - begun) / 1000

const PATIENTS = 500
const { signal } = new AbortController()
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
