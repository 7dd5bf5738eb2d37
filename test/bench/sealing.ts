import { createHash } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import { parseResource } from '@kakehashi/agent/sources/fhir/resource'
import { openBatch, sealBatch, verifyBatch } from '@kakehashi/protocol/envelope'
import { systemEnv } from '@kakehashi/protocol/env'
import { agentId, batchId, facilityId, operatorId } from '@kakehashi/protocol/ids'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { newBoxKey, newSigningKey } from '@kakehashi/protocol/signing'

export interface SealingFigures {
  /** MB of plain records a second, one core. */
  seal: number
  open: number
  /** The same bytes, the same core: what the machine can do at best. */
  zstd: number
  sha256: number
  copy: number
  /** Reading lines: what the agent understands of each, and JSON.parse alone. */
  understand: number
  jsonParse: number
}

const BATCH_BYTES = 4 * 1024 * 1024
const ROUNDS = 5

function mbPerSecond(bytes: number, act: () => unknown): number {
  act()
  const begun = performance.now()
  for (let n = 0; n < ROUNDS; n++) act()
  return (bytes * ROUNDS) / 1e6 / ((performance.now() - begun) / 1000)
}

/** One batch of real lines, sealed and opened again, against what the same core does with the same bytes. */
export function sealing(lines: readonly string[]): SealingFigures {
  const env = systemEnv()
  const facility = facilityId('midori')
  const chosen: string[] = []
  let bytes = 0
  for (let n = 0; n < lines.length && bytes < BATCH_BYTES; n += Math.ceil(lines.length / 3000)) {
    chosen.push(lines[n]!)
    bytes += Buffer.byteLength(lines[n]!)
  }
  const payloads = chosen.map((line) => Buffer.from(line, 'utf8'))
  const scope = { source: 'ehr', facility, bases: [] }
  const records: SourceRecord[] = payloads.map((payload, line) => ({
    ...parseResource(payload, scope).record,
    provenance: { file: 'bench.ndjson', line: line + 1, run: 'bench' },
  }))
  const signing = newSigningKey(env)
  const box = newBoxKey(env)
  const about = {
    batch: batchId('bench'),
    agent: agentId('agent'),
    facility,
    operator: operatorId('op-1'),
    track: 'ANON' as const,
    sequence: 1,
    ruleVersion: 'bench',
    createdAt: env.now(),
  }
  const seal = () =>
    sealBatch({ evidence: [], records, tombstones: [] }, about, { signing, recipients: [box] }, env)
  const sealed = seal()
  const plain = Buffer.concat(payloads)
  const target = Buffer.alloc(plain.length)
  return {
    seal: mbPerSecond(bytes, seal),
    open: mbPerSecond(bytes, () => {
      verifyBatch(sealed.bytes, signing.public)
      return openBatch(sealed.bytes, box)
    }),
    zstd: mbPerSecond(bytes, () =>
      zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
    ),
    sha256: mbPerSecond(bytes, () => createHash('sha256').update(plain).digest()),
    copy: mbPerSecond(bytes, () => plain.copy(target)),
    understand: mbPerSecond(bytes, () => payloads.map((payload) => parseResource(payload, scope))),
    jsonParse: mbPerSecond(bytes, () => chosen.map((line) => JSON.parse(line) as unknown)),
  }
}
