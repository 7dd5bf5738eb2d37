import type { CounterFigures } from './counter.ts'
import type { FloorFigures } from './floor.ts'
import type { Machine } from './machine.ts'
import type { PipelineFigures } from './pipeline.ts'
import type { ReadingFigures } from './reading.ts'
import type { SealingFigures } from './sealing.ts'
import type { StorageFigures } from './ssmix2.ts'
import type { BenchSource } from './source.ts'

/** One source's way through the machine. */
export interface Walk {
  source: BenchSource
  plainBytes: number
  gzipBytes: number
  lines: number
  pipeline: PipelineFigures
  floor: FloorFigures
}

export interface Figures {
  machine: Machine
  walks: Walk[]
  counter: CounterFigures
  /** Of the first source's lines. */
  sealing: SealingFigures | null
  gatePerSecond: number
  reading: ReadingFigures | null
  storage: StorageFigures | null
}

/** Goals of the house, and the one figure that is only quoted. */
const GOAL = {
  resources: 1500,
  patients: 25,
  agentMiB: 300,
  counterMs: 50,
  coldFiles: 2000,
  warmNames: 10_000,
  ledger: 15_000,
  tenfold: 11,
}
const PEER_PATIENTS_PER_SECOND = 2.4

const n = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

export function markdown(figures: Figures): string {
  const { machine: m } = figures
  return [
    `${m.cpu}, ${m.cores} cores, ${m.memoryGiB} GiB, Node ${m.node}, ${m.date}, load before the run ${m.load}.`,
    ...figures.walks.flatMap((walk) => [
      '',
      `Source: ${walk.source.said}; ${n(walk.pipeline.patients)} patients, ${n(walk.lines)} resources, ${n(walk.plainBytes / 1e6)} MB unpacked.`,
      ...table(rows(walk)),
    ]),
    '',
    'Single steps, one core, without processes.',
    ...table(steps(figures)),
  ].join('\n')
}

function table(rows: readonly string[][]): string[] {
  return [
    '',
    '| figure | measured | to compare |',
    '|---|---:|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ]
}

function rows({ pipeline: p, floor, ...walk }: Walk): string[][] {
  const rate = p.resources / p.durableSeconds
  const patients = p.patients / p.durableSeconds
  const chart = p.resources / p.patients
  return [
    [
      'source to durable in the vault, resources/s',
      n(rate),
      `goal ${n(GOAL.resources)}: ${met(rate >= GOAL.resources)}`,
    ],
    [
      `patients/s, ${n(chart)} resources each`,
      n(patients, 1),
      `goal ${GOAL.patients}: ${met(patients >= GOAL.patients)}${patients >= GOAL.patients ? '' : ` (with such charts ${n(GOAL.patients * chart)} resources/s)`}. A hospital-edge peer's documented sample, of other charts (quoted, not run here): ${PEER_PATIENTS_PER_SECOND}`,
    ],
    [
      '… until the last receipt is home, s',
      n(p.receiptedSeconds, 1),
      `last record durable after ${n(p.durableSeconds, 1)} s`,
    ],
    [
      'the same by plain upload, resources/s',
      n(floor.resources / floor.seconds),
      `JSON.parse + gzip -1 + POST + fsync, no guarantees, same run: ours is ${n(rate / (floor.resources / floor.seconds), 2)} of it`,
    ],
    [
      'resources accepted, refused, batches',
      `${n(p.resources)}, ${n(p.refused)}, ${n(p.batches)}`,
      `${n(p.patients)} patients notified`,
    ],
    ...Object.entries(p.costs).map(([name, cost]) => [
      `${name}: peak memory MiB, CPU s`,
      cost ? `${n(cost.peakMiB)}, ${n(cost.cpuSeconds, 1)}` : 'not measured',
      name === 'agent' && cost ? `goal ${GOAL.agentMiB} MiB: ${met(cost.peakMiB <= GOAL.agentMiB)}` : '',
    ]),
    [
      'bytes on the wire per resource',
      n(p.sealedBytes / p.resources),
      `sealed batches; raw NDJSON ${n(walk.plainBytes / walk.lines)}, gzip -1 ${n(walk.gzipBytes / walk.lines)}`,
    ],
    ...commandRows(p),
  ]
}

function commandRows({ auditVerify, link }: PipelineFigures): string[][] {
  const compare = 'with the start of the program'
  const found: string[][] = []
  if (auditVerify)
    found.push([`hub verify, ${n(auditVerify.leaves)} leaves, s`, n(auditVerify.seconds, 1), compare])
  if (link) found.push([`hub link, ${n(link.charts)} charts, s`, n(link.seconds, 1), compare])
  return found
}

function readingRows(reading: ReadingFigures | null): string[][] {
  if (!reading) return []
  const { whole, single } = reading
  const rate = whole.seen / whole.ledgerSeconds
  const took = ({ ledgerSeconds, fetchSeconds }: ReadingFigures['whole']) => ledgerSeconds + fetchSeconds
  const grown = took(single.manyRead) / took(single.fewRead)
  const peak = Math.max(whole.peakMiB, single.manyRead.peakMiB)
  return [
    [
      'NDJSON to ledger with patients resolved, resources/s',
      n(rate),
      `goal ${n(GOAL.ledger)}: ${met(rate >= GOAL.ledger)}; of the first source`,
    ],
    [
      '… and afresh, patient by patient, resources/s',
      n(whole.records / whole.fetchSeconds),
      `${n(whole.bytes / 1e6)} MB, grouped by patient`,
    ],
    [
      `one patient with ${n(single.many)} records, times the seconds of ${n(single.few)}`,
      n(grown, 1),
      `goal ${GOAL.tenfold} at most: ${met(grown <= GOAL.tenfold)}`,
    ],
    [
      '… peak memory MiB of the reader, of all these',
      n(peak),
      `goal ${GOAL.agentMiB}: ${met(peak <= GOAL.agentMiB)}`,
    ],
  ]
}

function storageRows(storage: StorageFigures | null): string[][] {
  if (!storage) return []
  const { files, records, peakMiB } = storage
  const [cold, warm] = [files / storage.coldSeconds, files / storage.warmSeconds]
  return [
    [
      'SS-MIX2 storage read for the first time, files/s',
      n(cold),
      `goal ${n(GOAL.coldFiles)}: ${met(cold >= GOAL.coldFiles)}; ${n(files)} files, ${n(records)} records into the ledger`,
    ],
    [
      '… looked at again with nothing new, names/s',
      n(warm),
      `goal ${n(GOAL.warmNames)}: ${met(warm >= GOAL.warmNames)}; ${n(storage.warmSeen)} records read`,
    ],
    ['… peak memory MiB', n(peakMiB), `goal ${GOAL.agentMiB} MiB: ${met(peakMiB <= GOAL.agentMiB)}`],
  ]
}

function steps({ sealing: s, gatePerSecond, counter, reading, storage }: Figures): string[][] {
  const gate = ['gate decisions/s', n(gatePerSecond), 'the pure function both gates call']
  const sources = [...readingRows(reading), ...storageRows(storage)]
  if (!s) return [gate, ...sources, counterRow(counter)]
  return [
    gate,
    ['reading a line for the gate, MB/s', n(s.understand), `JSON.parse alone ${n(s.jsonParse)}`],
    [
      'sealing, MB/s',
      n(s.seal),
      `zstd -3 alone ${n(s.zstd)}, SHA-256 alone ${n(s.sha256)}, copy ${n(s.copy)}`,
    ],
    ['verifying and opening, MB/s', n(s.open), 'the same bytes'],
    ...sources,
    counterRow(counter),
  ]
}

function counterRow({ patients, actions, worst }: CounterFigures): string[] {
  const each = Object.entries(actions).map(([name, { p95 }]) => `${name} ${n(p95, 1)}`)
  return [
    `counter over ${n(patients)} patients, p95 of the slowest action, ms`,
    n(worst.p95, 1),
    `goal ${GOAL.counterMs}: ${met(worst.p95 <= GOAL.counterMs)}. p95 of each: ${each.join(', ')}`,
  ]
}

function met(reached: boolean): string {
  return reached ? 'reached' : 'NOT reached'
}
