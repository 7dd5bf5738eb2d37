import type { PatientKey, PersonKey } from '@kakehashi/protocol/ids'
import type { Tx } from '@kakehashi/store/store'
import type { IdentityTables } from '../identity/store.ts'
import type { Candidate, LinkRecord } from './engine.ts'
import type { LinkingTables } from './store.ts'

/** More charts alike than this: the values say nothing (a placeholder), a human looks. */
export const CANDIDATES_MAX = 200

export async function linkRecordOf(tx: Tx<LinkingTables>, patient: PatientKey): Promise<LinkRecord | null> {
  const row = await tx
    .selectFrom('identity_patient')
    .selectAll()
    .where('patient', '=', patient)
    .executeTakeFirst()
  return row ? ((await withInsurance(tx, [row]))[0] ?? null) : null
}

/**
 * Charts that may be the same person and have one already: by birth date and name, by birth date and contact, by
 * insurance, by whole name. Charts a human told apart from this one are left out together with their person.
 */
export async function candidatesFor(
  tx: Tx<LinkingTables>,
  record: LinkRecord,
): Promise<Candidate[] | 'too-many'> {
  const keys = new Set<string>()
  for (const found of [await byIdentity(tx, record), await byInsurance(tx, record)])
    for (const patient of found) if (patient !== record.patient) keys.add(patient)
  if (keys.size > CANDIDATES_MAX) return 'too-many'
  if (keys.size === 0) return []
  const rows = await tx
    .selectFrom('identity_patient')
    .selectAll()
    .where('patient', 'in', [...keys])
    .execute()
  const links = await tx
    .selectFrom('link')
    .select(['patient', 'person'])
    .where('patient', 'in', [...keys])
    .execute()
  const person = new Map(links.map((l) => [l.patient, l.person as PersonKey]))
  const apart = await personsApart(tx, record.patient)
  const candidates: Candidate[] = []
  for (const one of await withInsurance(tx, rows)) {
    const of = person.get(one.patient)
    if (of && !apart.has(of)) candidates.push({ ...one, person: of })
  }
  return candidates.toSorted((a, b) => (a.patient < b.patient ? -1 : 1))
}

async function byIdentity(tx: Tx<LinkingTables>, record: LinkRecord): Promise<string[]> {
  const { kanaFamily, kanaGiven, birthDate } = record
  if (birthDate === null || (kanaFamily === null && kanaGiven === null)) return []
  const rows = await tx
    .selectFrom('identity_patient')
    .select('patient')
    .where('birth_date', '=', birthDate)
    .where((e) => e.or([e('kana_given', '=', kanaGiven ?? ''), e('kana_family', '=', kanaFamily ?? '')]))
    .limit(CANDIDATES_MAX + 2)
    .execute()
  return rows.map((r) => r.patient)
}

async function byInsurance(tx: Tx<LinkingTables>, record: LinkRecord): Promise<string[]> {
  const rows: { patient: string }[] = []
  for (const card of record.insurances)
    rows.push(
      ...(await tx
        .selectFrom('identity_insurance')
        .select('patient')
        .where('insurer', '=', card.insurer)
        .where('symbol', '=', card.symbol)
        .where('number', '=', card.number)
        .limit(CANDIDATES_MAX + 2)
        .execute()),
    )
  return rows.map((r) => r.patient)
}

async function personsApart(tx: Tx<LinkingTables>, patient: PatientKey): Promise<Set<string>> {
  const pairs = await tx
    .selectFrom('link_never')
    .select(['a', 'b'])
    .where((e) => e.or([e('a', '=', patient), e('b', '=', patient)]))
    .execute()
  const others = pairs.map((p) => (p.a === patient ? p.b : p.a))
  if (others.length === 0) return new Set()
  const rows = await tx.selectFrom('link').select('person').where('patient', 'in', others).execute()
  return new Set(rows.map((r) => r.person))
}

async function withInsurance(
  tx: Tx<LinkingTables>,
  rows: readonly IdentityTables['identity_patient'][],
): Promise<LinkRecord[]> {
  const cards = await tx
    .selectFrom('identity_insurance')
    .selectAll()
    .where(
      'patient',
      'in',
      rows.map((r) => r.patient),
    )
    .execute()
  return rows.map((row) => ({
    patient: row.patient as PatientKey,
    kanaFamily: row.kana_family,
    kanaGiven: row.kana_given,
    kanjiFamily: row.kanji_family,
    kanjiGiven: row.kanji_given,
    birthDate: row.birth_date,
    sex: row.sex === 'male' || row.sex === 'female' ? row.sex : null,
    phones: row.phones === '' ? [] : row.phones.split(' '),
    postal: row.postal,
    insurances: cards
      .filter((c) => c.patient === row.patient)
      .map(({ insurer, symbol, number, branch }) => ({
        insurer,
        symbol,
        number,
        branch: branch === '' ? null : branch,
      })),
    placeholder: Number(row.placeholder) === 1,
    multipleBirth: Number(row.multiple_birth) === 1,
  }))
}
