import { isLocalDate, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'

/** What the counter and the register need of a `Patient` resource. */
export interface PatientFacts {
  number: string
  identifiers: { system: string; value: string }[]
  kanji: string
  kana: string
  birthDate: LocalDate | null
  sex: 'male' | 'female' | 'other' | 'unknown'
  deceasedOn: LocalDate | null
  active: boolean
}

/** The source says that somebody died, not when: taken for earlier than any notice, so that nothing is sent. */
export const DEATH_DAY_UNKNOWN: LocalDate = '0001-01-01'

/** Reads what is there and expects nothing: a hospital's `Patient` may lack anything but its id. */
export function patientFacts(resource: unknown, id: string, today: LocalDate): PatientFacts {
  const patient = (resource ?? {}) as Record<string, unknown>
  const identifiers = listOf(patient['identifier']).flatMap((one) => {
    const { system, value } = one
    return typeof value === 'string' && value !== '' ? [{ system: textOf(system), value, one }] : []
  })
  const { gender } = patient
  return {
    number: localNumber(identifiers) ?? id,
    identifiers: identifiers.map(({ system, value }) => ({ system, value })),
    ...namesOf(listOf(patient['name'])),
    birthDate: birthDateOf(patient['birthDate'], today),
    sex: gender === 'male' || gender === 'female' || gender === 'other' ? gender : 'unknown',
    deceasedOn: deceasedOn(patient),
    active: patient['active'] !== false,
  }
}

const PATIENT_NUMBER = /^urn:oid:1\.2\.392\.100495\.20\.3\.51\./

/** The chart number: JP Core's system, else what is typed `MR`, else the first that is in use. */
function localNumber(
  identifiers: { system: string; value: string; one: Record<string, unknown> }[],
): string | undefined {
  const current = identifiers.filter(({ one }) => one['use'] !== 'old' && one['use'] !== 'temp')
  const found =
    current.find(({ system }) => PATIENT_NUMBER.test(system)) ??
    current.find(({ one }) => JSON.stringify(one['type'] ?? '').includes('"MR"')) ??
    current.find(({ system }) => !/insurance/i.test(system))
  return found?.value
}

const KANA = /^[\p{Script=Katakana}\p{Script=Hiragana}ー・\s]+$/u

function namesOf(names: Record<string, unknown>[]): { kanji: string; kana: string } {
  const current = names.filter((name) => name['use'] !== 'old')
  const written = (current.length > 0 ? current : names).map((name) => ({
    form: representation(name),
    text: nameText(name),
  }))
  const kana =
    written.find(({ form }) => form === 'SYL') ??
    written.find(({ text }) => KANA.test(text.normalize('NFKC')))
  const kanji = written.find(({ form }) => form === 'IDE') ?? written.find((name) => name !== kana) ?? kana
  return { kanji: kanji?.text ?? '', kana: kana?.text ?? '' }
}

function representation(name: Record<string, unknown>): unknown {
  return listOf(name['extension']).find(({ url }) => String(url).endsWith('/iso21090-EN-representation'))?.[
    'valueCode'
  ]
}

function nameText(name: Record<string, unknown>): string {
  const given = Array.isArray(name['given']) ? name['given'].filter((one) => typeof one === 'string') : []
  const parts = [name['family'], ...given].filter((part) => typeof part === 'string' && part !== '')
  return parts.length > 0 ? parts.join(' ') : textOf(name['text']).replaceAll(/\s+/g, ' ').trim()
}

/** Placeholders that systems write when they do not know, and dates no living person can have. */
const BIRTH_EARLIEST: LocalDate = '1900-01-02'

/** `null` when missing, incomplete, a placeholder (1900-01-01, 9999-12-31 …) or in the future: age unknown, which denies. */
export function birthDateOf(told: unknown, today: LocalDate): LocalDate | null {
  if (!isLocalDate(told)) return null
  return told < BIRTH_EARLIEST || told > today ? null : told
}

function deceasedOn(patient: Record<string, unknown>): LocalDate | null {
  const at = patient['deceasedDateTime']
  if (typeof at === 'string') return dayOf(at)
  return patient['deceasedBoolean'] === true ? DEATH_DAY_UNKNOWN : null
}

/** A FHIR dateTime as a day in Tokyo; an incomplete one as its first day. */
function dayOf(told: string): LocalDate {
  if (isLocalDate(told)) return told
  if (/^\d{4}(-\d{2})?$/.test(told)) {
    const first = `${told}-01-01`.slice(0, 10)
    return isLocalDate(first) ? first : DEATH_DAY_UNKNOWN
  }
  const instant = Date.parse(told)
  return Number.isNaN(instant) ? DEATH_DAY_UNKNOWN : tokyoDate(instant)
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
