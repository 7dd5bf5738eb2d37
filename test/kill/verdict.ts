import { parseResource } from '@kakehashi/agent/sources/fhir/resource'
import { openPartitions } from '@kakehashi/hub/content/open'
import { recordHash } from '@kakehashi/hub/content/partition'
import { IDENTITY_TYPES } from '@kakehashi/hub/content/split'
import { openVault } from '@kakehashi/hub/vault/opening'
import { systemEnv } from '@kakehashi/protocol/env'
import { facilityId, localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import { rowsOf, type AgentStage, type HubStage } from '@kakehashi/test/walk/stage'
import type { ChangingSource, Held } from './changing-source.ts'
import type { storesOf } from './standing.ts'

const SOURCE = 'ehr'
const NAMED_MAX = 10

export interface Verdict {
  /** Eligible record versions the source holds. */
  expected: number
  /** Eligible and not in the vault with exactly these bytes. */
  lost: string[]
  /** More than once in the vault, or accepted in effect more often than there were versions. */
  duplicated: string[]
  /** In the vault and not in the source, or of somebody who was never notified. */
  strange: string[]
  batches: number
  /** Batches of which agent and vault do not say the same. */
  disagreeing: string[]
  /** Versions of records that were accepted one after the other. */
  versions: number
}

/**
 * Holds the vault to the source files: every record of every notified patient, in its newest version, byte for byte
 * and once; nothing else; and the same word on every batch on both sides. Programs must be at rest.
 */
export async function judge(
  hub: HubStage,
  agent: AgentStage,
  source: ChangingSource,
  about: { stores: ReturnType<typeof storesOf>; notified: readonly PatientKey[] },
): Promise<Verdict> {
  const numbers = new Set(about.notified.map(localNumberOf))
  const expected = [...source.held].filter((held) => numbers.has(held.number))
  const kept = await keptInVault(hub)
  const verdict: Verdict = {
    expected: expected.length,
    lost: [],
    duplicated: [],
    strange: [],
    versions: 0,
    ...(await agreement(about.stores)),
  }
  const known = new Map(expected.map((held) => [idOf(agent, held), held]))
  const hashes = hashesInVault(about.stores.ops)
  for (const [id, held] of known) {
    const name = `${held.type}/${held.id}`
    const rows = kept.payloads.get(id) ?? []
    const bytes = IDENTITY_TYPES.has(held.type) ? kept.identities.get(held.line) : rows[0]
    if (bytes !== held.line) verdict.lost.push(`${name}: not these bytes`)
    if (rows.length > 1) verdict.duplicated.push(`${name}: ${rows.length} rows`)
    if (held.type === 'Coverage') continue
    const row = hashes.get(id)
    if (row?.hash !== hashOf(agent, held)) verdict.lost.push(`${name}: not this content hash`)
    verdict.versions += row?.version ?? 0
    if ((row?.version ?? 0) > source.versionsOf(held.type, held.id).size)
      verdict.duplicated.push(`${name}: accepted ${row?.version} times`)
  }
  for (const id of kept.payloads.keys()) if (!known.has(id)) verdict.strange.push(id)
  for (const owner of kept.owners)
    if (!numbers.has(localNumberOf(owner as PatientKey)))
      verdict.strange.push('a record of one never notified')
  verdict.lost.push(...ledgerGaps(agent, about.stores.agent, expected))
  return verdict
}

function idOf({ facility }: AgentStage, { type, id }: Held): string {
  return recordHash(facilityId(facility), { source: SOURCE, type, id })
}

function hashOf({ facility }: AgentStage, { line }: Held): string {
  const scope = { source: SOURCE, facility: facilityId(facility), bases: [] }
  return parseResource(Buffer.from(line, 'utf8'), scope).record.contentHash
}

/** The vault's content and identities, opened with its own keys by its own code. */
async function keptInVault(hub: HubStage): Promise<{
  payloads: Map<string, string[]>
  owners: Set<string>
  identities: Map<string, string>
}> {
  const vault = await openVault(hub.dir, systemEnv(), silentLog)
  try {
    const rows = await openPartitions(vault.content, async (db) =>
      (await db.runAndReadAll('SELECT record, owner, payload FROM content')).getRows(),
    )
    const payloads = new Map<string, string[]>()
    for (const [record, , payload] of rows as string[][])
      payloads.set(record!, [...(payloads.get(record!) ?? []), payload!])
    const sources = await vault.identity.db
      .selectFrom('identity_source')
      .select(['payload', 'patient'])
      .execute()
    const owners = [...(rows as string[][]).map(([, owner]) => owner!), ...sources.map((row) => row.patient)]
    return {
      payloads,
      owners: new Set(owners),
      identities: new Map(sources.map(({ payload }) => [payload, payload])),
    }
  } finally {
    await vault.close()
  }
}

function hashesInVault(ops: string): Map<string, { hash: string; version: number }> {
  const rows = rowsOf<{ record: string; hash: string; version: number }>(
    ops,
    'SELECT record, hash, version FROM content_record WHERE gone = 0',
  )
  return new Map(rows.map((row) => [row.record, row]))
}

/** What the agent believes to have been accepted must be what the source holds. */
function ledgerGaps(agent: AgentStage, path: string, expected: readonly Held[]): string[] {
  const sent = rowsOf<{ key: string; hash: string }>(path, 'SELECT key, hash FROM sent_record')
  const said = new Map(sent.map((row) => [row.key, row.hash]))
  const gaps = expected
    .filter((held) => said.get(`${SOURCE}|${held.type}|${held.id}`) !== hashOf(agent, held))
    .map((held) => `${held.type}/${held.id}: the agent's ledger disagrees`)
  return sent.length === expected.length
    ? gaps
    : [...gaps, `ledger ${sent.length}, source ${expected.length}`]
}

interface Batch {
  batch: string
  digest: string
  outcome: string
  accepted: number
}

async function agreement(
  stores: ReturnType<typeof storesOf>,
): Promise<Pick<Verdict, 'batches' | 'disagreeing'>> {
  const here = rowsOf<Batch>(
    stores.agent,
    `SELECT b.batch, b.digest, b.outcome, coalesce(p.records, 0) AS accepted
     FROM outbox_batch b LEFT JOIN provision p ON p.batch = b.batch WHERE b.leg = 'done'`,
  )
  const there = rowsOf<Batch>(stores.ops, 'SELECT batch, digest, outcome, accepted FROM batch')
  const text = (one: Batch) => `${one.digest} ${one.outcome} ${one.accepted}`
  const byId = new Map(there.map((one) => [one.batch, text(one)]))
  const disagreeing = here.filter((one) => byId.get(one.batch) !== text(one)).map((one) => one.batch)
  const known = new Set(here.map((one) => one.batch))
  const unfinished = there
    .filter((one) => !known.has(one.batch))
    .map((one) => `${one.batch}: unfinished here`)
  const refused = there
    .filter((one) => one.outcome !== 'accepted')
    .map((one) => `${one.batch}: ${one.outcome}`)
  return { batches: there.length, disagreeing: [...disagreeing, ...unfinished, ...refused] }
}

export function faultsOf(verdict: Verdict): string[] {
  const { lost, duplicated, strange, disagreeing } = verdict
  return Object.entries({ lost, duplicated, strange, disagreeing }).flatMap(([name, found]) =>
    found.slice(0, NAMED_MAX).map((one) => `${name}: ${one}`),
  )
}
