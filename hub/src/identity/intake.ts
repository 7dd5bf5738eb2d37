import { createHmac } from 'node:crypto'
import { facilityOf, type PatientKey } from '@kakehashi/protocol/ids'
import type { SourceRecord, Tombstone } from '@kakehashi/protocol/records'
import type { Store, Tx } from '@kakehashi/store/store'
import { recordHash } from '../content/partition.ts'
import { IDENTITY_TYPES } from '../content/split.ts'
import { NORMALISER } from '../linkage/normalise.ts'
import { chartIdentity, type ChartIdentity } from './chart.ts'
import type { IdentityTables } from './store.ts'

export interface Taken {
  charts: number
  resources: number
}

/**
 * Takes the identity resources out of accepted records. Idempotent: a resource known with the same content changes
 * nothing. Erased charts are passed over. Call with records the second gate accepted, and with nothing else.
 */
export async function takeIdentity(
  store: Store<IdentityTables>,
  records: readonly SourceRecord[],
  tombstones: readonly Tombstone[] = [],
): Promise<Taken> {
  const about = records.filter((r) => IDENTITY_TYPES.has(r.key.type) && r.patients.length > 0)
  const gone = tombstones.filter((t) => IDENTITY_TYPES.has(t.key.type) && t.patients.length > 0)
  if (about.length + gone.length === 0) return { charts: 0, resources: 0 }
  return store.transact<Taken>(
    (taken) =>
      taken.resources === 0 ? null : { act: 'identity.taken', actor: 'vault', detail: { ...taken } },
    async (tx) => {
      const handle = await erasureHandles(tx, store)
      const changed = new Set<PatientKey>()
      let resources = 0
      for (const record of about)
        for (const patient of record.patients) {
          if (await isErased(tx, handle(patient))) continue
          if (!(await keepSource(tx, patient, record, store.env.now()))) continue
          changed.add(patient)
          resources++
        }
      for (const { key, patients } of gone)
        for (const patient of patients) {
          const removed = await tx
            .deleteFrom('identity_source')
            .where('record', '=', sourceId(patient, key))
            .executeTakeFirst()
          if (Number(removed.numDeletedRows) > 0) changed.add(patient)
          resources += Number(removed.numDeletedRows)
        }
      for (const patient of changed) await normaliseChart(tx, patient, store.env.now())
      return { charts: changed.size, resources }
    },
  )
}

function sourceId(patient: PatientKey, key: SourceRecord['key']): string {
  return recordHash(facilityOf(patient), { ...key, id: `${key.id}\0${patient}` })
}

async function keepSource(
  tx: Tx<IdentityTables>,
  patient: PatientKey,
  record: SourceRecord,
  at: number,
): Promise<boolean> {
  const id = sourceId(patient, record.key)
  const known = await tx
    .selectFrom('identity_source')
    .select('hash')
    .where('record', '=', id)
    .executeTakeFirst()
  if (known?.hash === record.contentHash) return false
  const row = {
    record: id,
    patient,
    type: record.key.type,
    hash: record.contentHash,
    payload: new TextDecoder().decode(record.payload),
    received_at: at,
  }
  await tx.deleteFrom('identity_source').where('record', '=', id).execute()
  await tx.insertInto('identity_source').values(row).execute()
  return true
}

/** Reads the chart's identity afresh off all its resources; marks it for placing when a value changed. */
async function normaliseChart(tx: Tx<IdentityTables>, patient: PatientKey, at: number): Promise<void> {
  const sources = await tx
    .selectFrom('identity_source')
    .select('payload')
    .where('patient', '=', patient)
    .orderBy('received_at')
    .orderBy('record')
    .execute()
  const identity = chartIdentity(sources.map((s) => resourceOf(s.payload)))
  const before = await tx
    .selectFrom('identity_patient')
    .selectAll()
    .where('patient', '=', patient)
    .executeTakeFirst()
  const row = patientRow(patient, identity)
  const cards = await tx
    .selectFrom('identity_insurance')
    .selectAll()
    .where('patient', '=', patient)
    .orderBy('insurer')
    .orderBy('symbol')
    .orderBy('number')
    .orderBy('branch')
    .execute()
  const wanted = insuranceRows(patient, identity)
  const same =
    before !== undefined &&
    Object.entries(row).every(([name, value]) => before[name as keyof typeof before] === value) &&
    JSON.stringify(cards.map(cardText)) === JSON.stringify(wanted.map(cardText))
  if (same) return
  const values = { ...row, changed_at: at, placed: 0 }
  await tx
    .insertInto('identity_patient')
    .values(values)
    .onConflict((oc) => oc.column('patient').doUpdateSet(values))
    .execute()
  await tx.deleteFrom('identity_insurance').where('patient', '=', patient).execute()
  if (wanted.length > 0) await tx.insertInto('identity_insurance').values(wanted).execute()
}

type Row = Omit<IdentityTables['identity_patient'], 'changed_at' | 'placed'>

function patientRow(patient: PatientKey, identity: ChartIdentity): Row {
  return {
    patient,
    facility: facilityOf(patient),
    kana_family: identity.kanaFamily,
    kana_given: identity.kanaGiven,
    kanji_family: identity.kanjiFamily,
    kanji_given: identity.kanjiGiven,
    birth_date: identity.birthDate,
    sex: identity.sex,
    postal: identity.postal,
    phones: identity.phones.join(' '),
    state: identity.state,
    placeholder: identity.placeholder ? 1 : 0,
    multiple_birth: identity.multipleBirth ? 1 : 0,
    normaliser: NORMALISER,
  }
}

function insuranceRows(patient: PatientKey, identity: ChartIdentity): IdentityTables['identity_insurance'][] {
  return identity.insurances
    .map((i) => ({ patient, ...i, branch: i.branch ?? '' }))
    .toSorted((a, b) => (cardText(a) < cardText(b) ? -1 : 1))
}

function cardText(card: IdentityTables['identity_insurance']): string {
  return [card.insurer, card.symbol, card.number, card.branch].join('\0')
}

function resourceOf(payload: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Keyed hash by which this store knows erased charts again without naming them. */
export async function erasureHandles(
  tx: Tx<IdentityTables>,
  store: { env: { random(n: number): Uint8Array } },
): Promise<(patient: PatientKey) => string> {
  const row = await tx
    .selectFrom('identity_secret')
    .select('secret')
    .where('name', '=', 'erasure')
    .executeTakeFirst()
  const secret = row?.secret ?? store.env.random(32)
  if (!row) await tx.insertInto('identity_secret').values({ name: 'erasure', secret }).execute()
  return (patient) => createHmac('sha256', secret).update(patient).digest('hex')
}

async function isErased(tx: Tx<IdentityTables>, handle: string): Promise<boolean> {
  const row = await tx
    .selectFrom('identity_erased')
    .select('handle')
    .where('handle', '=', handle)
    .executeTakeFirst()
  return row !== undefined
}
