import type { BatchHeader } from '@kakehashi/protocol/envelope'
import { facilityId, type FacilityId, type PatientKey } from '@kakehashi/protocol/ids'
import type { FacilityDeclared } from '@kakehashi/protocol/messages'
import type { BatchContent, SourceRecord } from '@kakehashi/protocol/records'
import type { FacilityState } from '@kakehashi/protocol/rules/state'
import type { Known } from '../admission/rules.ts'
import { recordHash } from '../content/partition.ts'
import { add, bearersOf, chartHash, freedOf, readOwnList, slices, stopsByName } from '../requests/charts.ts'
import { namesInBatch } from '../requests/named.ts'
import { addCharts } from '../requests/stop.ts'
import { newestDeclaration } from './declaration.ts'
import { ownStatus } from './enrolment.ts'
import { approvedRules } from './rules-change.ts'
import type { OpsStore, OpsTx } from './ops.ts'
import type { VaultParts } from './parts.ts'

/** The newest declaration of a facility, as the state the gate reads. */
export async function declaredFacility(tx: OpsTx, facility: string): Promise<FacilityState | null> {
  const row = await newestDeclaration(tx, facility)
  if (!row) return null
  const said = JSON.parse(row.body) as FacilityDeclared
  const { entity, templates, filings, waitDays, deathPolicy, closedDays, endedOn } = said
  return {
    facility: facilityId(facility),
    entity,
    templates,
    filings,
    waitDays,
    deathPolicy,
    closedDays,
    endedOn,
  }
}

/** Names, addresses and representatives that hospitals ever declared: none may appear in a release. */
export async function hospitalWords(ops: OpsStore): Promise<string[]> {
  const rows = await ops.db.selectFrom('facility_declaration').select('body').execute()
  const words = rows.flatMap(({ body }) => {
    const { name, address, representative } = (JSON.parse(body) as FacilityDeclared).entity
    return [name, address, representative]
  })
  return [...new Set(words)].filter((text) => text.length > 1)
}

/** A stop by name stops the chart from its first sight on: what comes later need not name the person again. */
async function stopNamed(
  tx: OpsTx,
  parts: VaultParts,
  names: ReadonlyMap<PatientKey, readonly string[]>,
): Promise<void> {
  const meant = new Map<string, Set<PatientKey>>()
  for (const { stop, patient, standing } of await stopsByName(tx, bearersOf(names)))
    if (standing === 'provisional' || standing === 'confirmed') add(meant, stop, patient)
  const isFreed = await freedOf(tx, parts.keys.tombstone, meant.keys())
  for (const [stop, patients] of meant)
    for (const patient of patients) {
      if (isFreed(stop, patient)) continue
      const hash = chartHash(parts.keys.tombstone, patient)
      const held = await tx
        .selectFrom('stop_hash')
        .select('stop')
        .where('stop', '=', stop)
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (!held) await addCharts(tx, parts, stop, [patient])
    }
}

/** All that the second gate needs to know for one batch, read in the transaction that admits it. */
export async function readKnown(
  tx: OpsTx,
  parts: VaultParts,
  header: BatchHeader,
  content: BatchContent,
  facility: FacilityState,
): Promise<Known> {
  const now = parts.env.now()
  const names = namesInBatch(parts.keys.tombstone, header.facility, content.records)
  await stopNamed(tx, parts, names)
  const charts = content.evidence.map(({ state }) => ({
    ...state.patient,
    names: names.get(state.patient.patient) ?? [],
  }))
  const list = await readOwnList(tx, parts.keys.tombstone, charts)
  const versions = await admittedVersions(tx, header.facility, content.records)
  const { operator, standing, tracks } = await ownStatus(tx, parts)
  return {
    now,
    latestSeen: await latestSeen(tx),
    rules: parts.rulesAt(now, await approvedRules(tx)),
    operator: { operator, standing, tracks, asOf: now },
    facility,
    ...list,
    admittedHash: (record) => versions.get(versionKey(header.facility, record) ?? ''),
    decide: parts.decide,
  }
}

/** Only a source that numbers its versions can contradict itself; without a number the newer content replaces. */
function versionKey(facility: FacilityId, record: SourceRecord): string | null {
  return record.sourceVersion === undefined
    ? null
    : `${recordHash(facility, record.key)} ${record.sourceVersion}`
}

async function admittedVersions(
  tx: OpsTx,
  facility: FacilityId,
  records: readonly SourceRecord[],
): Promise<Map<string, string>> {
  const versions = new Map<string, string>()
  const numbered = records.filter((record) => record.sourceVersion !== undefined)
  for (const part of slices(numbered.map((record) => recordHash(facility, record.key)))) {
    const rows = await tx
      .selectFrom('admitted_version')
      .select(['record', 'version', 'hash'])
      .where('record', 'in', part)
      .execute()
    for (const row of rows) versions.set(`${row.record} ${row.version}`, row.hash)
  }
  return versions
}

const LATEST_SEEN = 'latest-seen'

export async function latestSeen(tx: OpsTx): Promise<number> {
  const row = await tx.selectFrom('cursor').select('value').where('name', '=', LATEST_SEEN).executeTakeFirst()
  return Number(row?.value ?? 0)
}

/** The vault's own monotone time: a clock set back is noticed, not believed. */
export async function seeTime(tx: OpsTx, now: number): Promise<void> {
  if (now <= (await latestSeen(tx))) return
  await tx
    .insertInto('cursor')
    .values({ name: LATEST_SEEN, value: now })
    .onConflict((c) => c.column('name').doUpdateSet({ value: now }))
    .execute()
}

/** Notes what was admitted: version and content of each record, and the handles that stand for each chart. */
export async function noteAdmitted(
  tx: OpsTx,
  header: BatchHeader,
  admitted: { records: readonly SourceRecord[]; evidence: BatchContent['evidence'] },
): Promise<void> {
  const rows = admitted.records.flatMap((record) =>
    record.sourceVersion === undefined
      ? []
      : record.patients.map((patient) => ({
          record: recordHash(header.facility, record.key),
          patient,
          version: record.sourceVersion ?? '',
          hash: record.contentHash,
        })),
  )
  const unique = [...new Map(rows.map((row) => [`${row.record} ${row.patient}`, row])).values()]
  for (const part of slices(unique))
    await tx
      .insertInto('admitted_version')
      .values(part)
      .onConflict((c) =>
        c.columns(['record', 'patient']).doUpdateSet((e) => ({
          version: e.ref('excluded.version'),
          hash: e.ref('excluded.hash'),
        })),
      )
      .execute()
  const handles = admitted.evidence.flatMap(({ state }) =>
    [...new Set(state.patient.handles)].map((handle) => ({ handle, patient: state.patient.patient })),
  )
  for (const part of slices(handles))
    await tx
      .insertInto('patient_handle')
      .values(part)
      .onConflict((c) => c.doNothing())
      .execute()
}
