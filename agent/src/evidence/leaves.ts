import { checkpointOf } from '@kakehashi/store/audit-log'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { toBase64 } from '@kakehashi/protocol/signing'
import { auditOrigin } from '../audit/checkpoint.ts'
import { aboutPatient, type AgentContext } from '../context.ts'
import { ndjson, range } from './lines.ts'
import type { EvidenceScope } from './shape.ts'
import { Tree } from './tree.ts'
import type { PackageFile } from './zip.ts'

const PAGE = 2000

type Filing = (path: string, lines: Iterable<string>) => PackageFile

/** The leaves about these people or this time, each with its way to the root that the agent signed. */
export async function* auditFiles(
  context: AgentContext,
  file: Filing,
  patients: readonly PatientKey[],
  scope: EvidenceScope,
): AsyncGenerator<PackageFile> {
  const { store, keys } = context
  const origin = auditOrigin(context)
  const note = await checkpointOf(store, origin, keys.signing)
  const size = verifyCheckpoint(note, origin, keys.signing.public)?.size ?? 0
  const abouts = new Set(patients.map((patient) => aboutPatient(context, patient)))
  const [start, end] = scope.kind === 'period' ? range(scope) : [Infinity, -Infinity]
  const hashes: Uint8Array[] = []
  const chosen: { seq: number; leaf: string }[] = []
  for (let from = 0; from < size; from += PAGE) {
    const rows = await store.db
      .selectFrom('audit_leaf')
      .selectAll()
      .where('seq', '>=', from)
      .where('seq', '<', Math.min(from + PAGE, size))
      .orderBy('seq')
      .execute()
    for (const row of rows) {
      hashes.push(row.hash)
      const within = row.at >= start && row.at < end
      if (within || concerns(row.leaf, abouts)) chosen.push({ seq: row.seq, leaf: toBase64(row.leaf) })
    }
  }
  const tree = new Tree(hashes)
  yield file('audit/checkpoint', [note])
  yield file(
    'audit/leaves.ndjson',
    ndjson(chosen.map((one) => ({ ...one, proof: tree.proof(one.seq).map((hash) => toBase64(hash)) }))),
  )
}

function concerns(leaf: Uint8Array, abouts: ReadonlySet<string>): boolean {
  const { about } = JSON.parse(Buffer.from(leaf).toString('utf8')) as { about?: string }
  return about !== undefined && abouts.has(about)
}
