/** `node reading-process.ts FOLDER STORE`: one round of a folder of exports; says so when it is over. */
import { openLedgerReader } from '@kakehashi/test/hospital/ledger-reader'

const [folder = '', location = ''] = process.argv.slice(2)
const { store, gather } = await openLedgerReader(folder, location)
console.log('reading')
const { faults } = await gather()
await store.close()
console.log(faults.length === 0 ? 'done' : 'faulty')
