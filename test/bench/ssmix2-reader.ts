/** A process of its own, so that its memory is the reader's: `node ssmix2-reader.ts STORAGE STORE` prints one line of JSON. */
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { Ssmix2Storage } from '@kakehashi/agent/sources/ssmix2/storage'
import { folderIndex } from '@kakehashi/agent/sources/ssmix2/store'
import { openAgentStore } from '@kakehashi/agent/store/store'
import { systemEnv } from '@kakehashi/protocol/env'
import { facilityId } from '@kakehashi/protocol/ids'
import { oneRound } from '@kakehashi/test/hospital/ledger-reader'

const [folder = '', location = ''] = process.argv.slice(2)
const env = systemEnv()
const store = await openAgentStore(location, env)
const connector = new Ssmix2Storage({
  source: 'ss',
  facility: facilityId('bench'),
  labels: LABEL_POLICY,
  folder,
  institution: null,
  transactions: null,
  indexTable: null,
  env,
  index: folderIndex(store as never),
})

async function round(): Promise<{ seconds: number; seen: number }> {
  const begun = performance.now()
  const { seen } = await oneRound(store, connector)
  return { seconds: (performance.now() - begun) / 1000, seen }
}

const cold = await round()
const files = connector.counts.read
const warm = await round()
const peakMiB = process.resourceUsage().maxRSS / 1024
console.log(
  JSON.stringify({
    files,
    records: cold.seen,
    coldSeconds: cold.seconds,
    warmSeconds: warm.seconds,
    warmSeen: warm.seen,
    peakMiB,
  }),
)
await store.close()
