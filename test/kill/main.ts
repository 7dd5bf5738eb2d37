import { parseArgs } from 'node:util'
import { ordeal, type Ordeal } from './ordeal.ts'
import { readerOrdeal, type ReaderOrdeal } from './reader-ordeal.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    patients: { type: 'string', default: '60' },
    reader: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help)
  console.log(`npm run kill -- [--kills 100] [--seed 1] [--patients 60] [--reader] [--json]
SIGKILLs agent, gateway and vault that many times each, at random moments of their work, while the hospital's records
keep changing; then holds the vault to the source. Ends with 1 when anything was lost or doubled.
--reader: instead the reader of a hospital's exports, that many times while one export gives way to the next.`)
else if (values.reader) {
  const told = await readerOrdeal({ kills: Number(values.kills), seed: values.seed })
  console.log(
    told === null ? 'left out: the pair of exports in ../shared is not on this machine' : readerTable(told),
  )
  process.exitCode = told !== null && told.differing === 0 ? 0 : 1
} else {
  const result = await ordeal({
    kills: Number(values.kills),
    seed: values.seed,
    patients: Number(values.patients),
    say: (sentence) => console.error(sentence),
  })
  console.log(values.json ? JSON.stringify(plain(result), null, 2) : table(result))
  process.exitCode = result.faults.length === 0 ? 0 : 1
}

function readerTable({ kills, readings, records, differing, seconds }: ReaderOrdeal): string {
  return `| kill -9 of the reader | readings of B to their end | ledger rows | ledgers that differ from an undisturbed one | seconds |
|---|---|---|---|---|
| ${kills} | ${readings} | ${records} | ${differing} | ${seconds.toFixed(0)} |`
}

function plain(result: Ordeal): unknown {
  return { ...result, killed: result.killed.map((one) => ({ ...one, met: Object.fromEntries(one.met) })) }
}

function table({ killed, verdict, changes, seconds, faults }: Ordeal): string {
  const met = (one: Ordeal['killed'][number]) =>
    [...one.met]
      .toSorted(([, a], [, b]) => b - a)
      .map(([what, n]) => `${what} ${n}`)
      .join(', ')
  return [
    `| program | kill -9 | what the blow met |`,
    `|---|---|---|`,
    ...killed.map((one) => `| ${one.name} | ${one.kills} | ${met(one)} |`),
    '',
    `| | |`,
    `|---|---|`,
    `| changes at the source meanwhile | ${changes} |`,
    `| eligible records at the end | ${verdict.expected} |`,
    `| batches | ${verdict.batches} |`,
    `| record versions accepted | ${verdict.versions} |`,
    `| lost | ${verdict.lost.length} |`,
    `| duplicated in effect | ${verdict.duplicated.length} |`,
    `| in the vault without a right to be | ${verdict.strange.length} |`,
    `| batches on which the two sides disagree | ${verdict.disagreeing.length} |`,
    `| seconds | ${seconds.toFixed(0)} |`,
    '',
    ...(faults.length === 0
      ? ['Nothing lost, nothing doubled; stores whole, both audit logs verify.']
      : faults),
  ].join('\n')
}
