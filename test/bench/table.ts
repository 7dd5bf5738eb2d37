import type { CounterFigures } from './counter.ts'
import type { FloorFigures } from './floor.ts'
import type { Machine } from './machine.ts'
import type { PipelineFigures } from './pipeline.ts'
import type { SealingFigures } from './sealing.ts'

export interface Figures {
  machine: Machine
  source: string
  plainBytes: number
  gzipBytes: number
  lines: number
  pipeline: PipelineFigures
  floor: FloorFigures
  counter: CounterFigures
  sealing: SealingFigures
  gatePerSecond: number
}

/** Goals of the house, and the one figure that is only quoted. */
const GOAL = { resources: 1500, patients: 25, agentMiB: 300, counterMs: 50 }
const PEER_PATIENTS_PER_SECOND = 2.4

const n = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

export function markdown(figures: Figures): string {
  const { machine: m } = figures
  return [
    `${m.cpu}, ${m.cores} cores, ${m.memoryGiB} GiB, Node ${m.node}, ${m.date}, load before the run ${m.load}.`,
    `Source: ${figures.source}; ${n(figures.lines)} resources, ${n(figures.plainBytes / 1e6)} MB unpacked.`,
    '',
    '| figure | measured | to compare |',
    '|---|---:|---|',
    ...rows(figures).map((row) => `| ${row.join(' | ')} |`),
  ].join('\n')
}

function rows(figures: Figures): string[][] {
  const { pipeline: p, floor, sealing: s } = figures
  const rate = p.resources / p.durableSeconds
  const perRecord = p.sealedBytes / p.resources
  const patients = p.patients / p.durableSeconds
  return [
    [
      'source to durable in the vault, resources/s',
      n(rate),
      `goal ${n(GOAL.resources)}; ${met(rate >= GOAL.resources)}`,
    ],
    [
      'patients/s',
      n(patients, 1),
      `goal ${GOAL.patients}; ${met(patients >= GOAL.patients)}. A hospital-edge peer's documented sample (quoted, not run here): ${PEER_PATIENTS_PER_SECOND}, ratio ${n(patients / PEER_PATIENTS_PER_SECOND, 1)}`,
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
      name === 'agent' && cost ? `goal ${GOAL.agentMiB} MiB; ${met(cost.peakMiB <= GOAL.agentMiB)}` : '',
    ]),
    [
      'bytes on the wire per resource',
      n(perRecord),
      `sealed batches; raw NDJSON ${n(figures.plainBytes / figures.lines)}, gzip -1 ${n(figures.gzipBytes / figures.lines)}`,
    ],
    ['gate decisions/s, one core', n(figures.gatePerSecond), 'the pure function both gates call'],
    ['reading a line for the gate, MB/s', n(s.understand), `JSON.parse alone ${n(s.jsonParse)}`],
    [
      'sealing, MB/s',
      n(s.seal),
      `zstd -3 alone ${n(s.zstd)}, SHA-256 alone ${n(s.sha256)}, copy ${n(s.copy)}`,
    ],
    ['verifying and opening, MB/s', n(s.open), 'the same bytes'],
    counterRow(figures.counter),
    ...(p.auditVerify
      ? [
          [
            `hub verify, ${n(p.auditVerify.leaves)} leaves, s`,
            n(p.auditVerify.seconds, 1),
            'with the start of the program',
          ],
        ]
      : []),
    ...(p.link
      ? [[`hub link, ${n(p.link.charts)} charts, s`, n(p.link.seconds, 1), 'with the start of the program']]
      : []),
  ]
}

function counterRow({ patients, actions, worst }: CounterFigures): string[] {
  const each = Object.entries(actions).map(([name, { p95 }]) => `${name} ${n(p95, 1)}`)
  return [
    `counter over ${n(patients)} patients, p95 of the slowest action, ms`,
    n(worst.p95, 1),
    `goal ${GOAL.counterMs}; ${met(worst.p95 <= GOAL.counterMs)}. p95 of each: ${each.join(', ')}`,
  ]
}

function met(reached: boolean): string {
  return reached ? 'reached' : 'NOT reached'
}
