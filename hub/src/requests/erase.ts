import { canonicalBytes } from '@kakehashi/protocol/canonical'
import { facilityOf, type PatientKey } from '@kakehashi/protocol/ids'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { OpsTx } from '../vault/ops.ts'
import { agentsOf, post } from '../vault/outbox.ts'
import type { ErasedPlace, VaultParts } from '../vault/parts.ts'
import { certify, type CertificateCore } from './certificate.ts'
import { chartHash, slices } from './charts.ts'
import { askErasure } from './erasure.ts'
import { forgetWords, saidOfThem } from './said-of-them.ts'
import { erasedOf, keepErased } from './told-stops.ts'

/** Carries every asked erasure to its end. Safe to run again after a crash at any point. */
export async function finishErasures(parts: VaultParts): Promise<number> {
  const open = await parts.ops.db
    .selectFrom('erasure')
    .selectAll()
    .where('state', '!=', 'done')
    .orderBy('asked_at')
    .execute()
  for (const row of open) await eraseOne(parts, row)
  await certifyDone(parts)
  return open.length
}

interface Asked {
  erasure: string
  stop: string | null
  asked_at: number
  patients: string
}

async function eraseOne(parts: VaultParts, row: Asked): Promise<void> {
  const patients = JSON.parse(row.patients) as PatientKey[]
  const hashes = patients.map((patient) => chartHash(parts.keys.tombstone, patient))
  const listed = parts.erasures.entries().some((entry) => entry.erasure === row.erasure)
  const own = patients.map((patient) => erasedOf(parts.keys.tombstone, patient))
  const said = await saidOfThem(parts.ops.db, parts.keys.tombstone, row.stop, patients)
  if (!listed) parts.erasures.append({ erasure: row.erasure, at: row.asked_at, hashes, own, said })
  await parts.ops.bookkeep((tx) =>
    tx.updateTable('erasure').set({ state: 'erasing' }).where('erasure', '=', row.erasure).execute(),
  )
  const keysDestroyed: string[] = []
  for (const place of parts.rooms.places) {
    const erased = await place.erase(patients, row.erasure)
    keysDestroyed.push(...erased.flatMap((one) => one.keysDestroyed))
    await parts.ops.bookkeep((tx) => notePlaces(tx, row.erasure, erased))
  }
  const words = await forgetWords(parts, said)
  await parts.ops.bookkeep((tx) => notePlaces(tx, row.erasure, [{ place: 'identity/asked', count: words }]))
  await parts.ops.transact(
    (count: number) => ({
      act: 'erasure.operations',
      actor: 'vault',
      detail: { erasure: row.erasure, rows: count },
    }),
    async (tx) => {
      const count = await eraseOwnRows(tx, parts, patients)
      await notePlaces(tx, row.erasure, [{ place: 'operations', count }])
      return count
    },
  )
  await parts.ops.scrub()
  const core: CertificateCore = {
    version: 1,
    erasure: row.erasure,
    operator: parts.operator.operator,
    charts: hashes,
    askedAt: row.asked_at,
    doneAt: parts.env.now(),
    places: await placesOf(parts, row.erasure),
    keysDestroyed,
  }
  await closeErasure(parts, core, patients)
}

/** An earlier run that a crash ended removed it already: the larger count is the whole. */
async function notePlaces(
  tx: OpsTx,
  erasure: string,
  places: readonly Pick<ErasedPlace, 'place' | 'count'>[],
): Promise<void> {
  for (const { place, count } of places) {
    const known = await tx
      .selectFrom('erasure_place')
      .select('count')
      .where('erasure', '=', erasure)
      .where('place', '=', place)
      .executeTakeFirst()
    await tx
      .insertInto('erasure_place')
      .values({ erasure, place, count: Math.max(count, Number(known?.count ?? 0)) })
      .onConflict((c) =>
        c.columns(['erasure', 'place']).doUpdateSet((e) => ({ count: e.ref('excluded.count') })),
      )
      .execute()
  }
}

async function placesOf(parts: VaultParts, erasure: string): Promise<CertificateCore['places']> {
  const rows = await parts.ops.db
    .selectFrom('erasure_place')
    .select(['place', 'count'])
    .where('erasure', '=', erasure)
    .orderBy('place')
    .execute()
  return rows.map(({ place, count }) => ({ place, count: Number(count) }))
}

/** The leaf binds the certificate: whoever holds a later checkpoint can prove that this was done, and when. */
async function closeErasure(
  parts: VaultParts,
  core: CertificateCore,
  patients: readonly PatientKey[],
): Promise<void> {
  const digest = sha256Hex(canonicalBytes(core))
  await parts.ops.transact(
    {
      act: 'erasure.done',
      actor: 'vault',
      ...(core.charts[0] === undefined ? {} : { about: core.charts[0] }),
      detail: { erasure: core.erasure, certificate: digest },
    },
    async (tx) => {
      await tx
        .updateTable('erasure')
        .set({ state: 'done', done_at: core.doneAt, patients: '[]', certificate: JSON.stringify({ core }) })
        .where('erasure', '=', core.erasure)
        .execute()
      const facilities = new Set<string>(patients.map(facilityOf))
      for (const agent of await agentsOf(tx)) {
        if (!facilities.has(agent.facility)) continue
        await post(tx, parts, agent, {
          type: 'erasure-done',
          patients: patients.filter((patient) => facilityOf(patient) === agent.facility),
          erasedAt: core.doneAt,
          certificate: digest,
        })
      }
    },
  )
}

/** Adds proof and signature to certificates whose leaf is committed but whose proof was not yet written. */
async function certifyDone(parts: VaultParts): Promise<void> {
  const rows = await parts.ops.db
    .selectFrom('erasure')
    .select(['erasure', 'certificate'])
    .where('state', '=', 'done')
    .where('certificate', 'not like', '%"signature"%')
    .execute()
  for (const row of rows) {
    const { core } = JSON.parse(row.certificate ?? '{}') as { core?: CertificateCore }
    if (!core) continue
    const certificate = JSON.stringify(await certify(parts, core))
    await parts.ops.bookkeep((tx) =>
      tx.updateTable('erasure').set({ certificate }).where('erasure', '=', row.erasure).execute(),
    )
  }
}

async function eraseOwnRows(tx: OpsTx, parts: VaultParts, patients: readonly PatientKey[]): Promise<number> {
  let rows = 0
  const count = (result: { numDeletedRows?: bigint; numUpdatedRows?: bigint }): void => {
    rows += Number(result.numDeletedRows ?? result.numUpdatedRows ?? 0)
  }
  for (const part of slices(patients)) {
    count(await tx.deleteFrom('admitted_version').where('patient', 'in', part).executeTakeFirst())
    count(await tx.deleteFrom('patient_handle').where('patient', 'in', part).executeTakeFirst())
    count(await tx.deleteFrom('doubted_chart').where('patient', 'in', part).executeTakeFirst())
    count(await tx.deleteFrom('stop_chart').where('patient', 'in', part).executeTakeFirst())
    count(
      await tx
        .updateTable('batch_refusal')
        .set({ patient: null, record: null })
        .where('patient', 'in', part)
        .executeTakeFirst(),
    )
  }
  const agents = (await tx.selectFrom('agent').select(['agent', 'facility']).execute())
    .filter((agent) => patients.some((patient) => facilityOf(patient) === agent.facility))
    .map((agent) => agent.agent)
  if (agents.length > 0)
    count(
      await tx
        .updateTable('quarantine')
        .set({ sealed: null, erased_at: parts.env.now() })
        .where('agent', 'in', agents)
        .where('sealed', 'is not', null)
        .executeTakeFirst(),
    )
  return rows
}

/**
 * After a restore the database may know people who were erased since the backup. The list outside the database
 * decides: their charts are found by keyed hash and erased again before anything is served (LAW trap 32).
 */
export async function replayErasures(parts: VaultParts, charts: readonly PatientKey[]): Promise<number> {
  const listed = new Set(parts.erasures.entries().flatMap((entry) => entry.hashes))
  if (listed.size === 0) return 0
  await forgetWords(
    parts,
    parts.erasures.entries().flatMap((entry) => entry.said ?? []),
  )
  const again = new Set(charts.filter((patient) => listed.has(chartHash(parts.keys.tombstone, patient))))
  const missing = await missingTombstones(parts, [...listed])
  if (missing.length === 0 && again.size === 0) return 0
  await parts.ops.transact(
    { act: 'erasure.replayed', actor: 'vault', detail: { charts: again.size, tombstones: missing.length } },
    async (tx) => {
      const at = parts.env.now()
      for (const part of slices(missing))
        await tx
          .insertInto('tombstone')
          .values(part.map((hash) => ({ hash, erasure: 'replayed', at, hits: 0 })))
          .execute()
      await keepErased(
        tx,
        parts.erasures.entries().flatMap((entry) => entry.own ?? []),
      )
      if (again.size > 0) await askErasure(tx, parts, { patients: [...again], by: 'replay', stop: null })
    },
  )
  await finishErasures(parts)
  return again.size
}

/** Every chart any place knows, by its own name. */
export async function knownCharts(parts: VaultParts): Promise<PatientKey[]> {
  const known = new Set<PatientKey>()
  for (const place of [...parts.rooms.places, { charts: () => ownCharts(parts) }])
    for (const patient of await place.charts()) known.add(patient)
  return [...known]
}

async function missingTombstones(parts: VaultParts, hashes: readonly string[]): Promise<string[]> {
  const held = new Set<string>()
  for (const part of slices(hashes))
    for (const row of await parts.ops.db
      .selectFrom('tombstone')
      .select('hash')
      .where('hash', 'in', part)
      .execute())
      held.add(row.hash)
  return hashes.filter((hash) => !held.has(hash))
}

async function ownCharts(parts: VaultParts): Promise<PatientKey[]> {
  const { db } = parts.ops
  const found = new Set<string>()
  for (const row of await db.selectFrom('admitted_version').select('patient').distinct().execute())
    found.add(row.patient)
  for (const row of await db.selectFrom('patient_handle').select('patient').distinct().execute())
    found.add(row.patient)
  for (const row of await db.selectFrom('stop_chart').select('patient').distinct().execute())
    found.add(row.patient)
  for (const row of await db.selectFrom('doubted_chart').select('patient').distinct().execute())
    found.add(row.patient)
  return [...found] as PatientKey[]
}
