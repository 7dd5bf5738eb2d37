import {
  birthDate,
  insuranceOf,
  isPlaceholderName,
  kanaCode,
  kanjiFold,
  phoneDigits,
  postalDigits,
  sexOf,
  type Insurance,
} from '../linkage/normalise.ts'

type Json = Record<string, unknown>

export interface ChartIdentity {
  kanaFamily: string | null
  kanaGiven: string | null
  kanjiFamily: string | null
  kanjiGiven: string | null
  birthDate: string | null
  sex: 'male' | 'female' | null
  postal: string | null
  phones: string[]
  state: string | null
  insurances: Insurance[]
  placeholder: boolean
  multipleBirth: boolean
}

const REPRESENTATION = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'
const CORE = 'http://jpfhir.jp/fhir/core/Extension/StructureDefinition/'
const PHONES_MAX = 4
const INSURANCES_MAX = 8

/** The normalised identity of one chart, read off every identity resource received for it. */
export function chartIdentity(resources: readonly Json[]): ChartIdentity {
  const patients = resources.filter((r) => r['resourceType'] === 'Patient')
  const patient = patients.at(-1) ?? {}
  const names = list(patient['name'])
  const kana = nameParts(names, 'SYL')
  const kanji = nameParts(names, 'IDE')
  const kanaFamily = kana.family === null ? null : kanaCode(kana.family)
  const kanaGiven = kana.given === null ? null : kanaCode(kana.given)
  const kanjiFamily = kanji.family === null ? null : kanjiFold(kanji.family)
  const kanjiGiven = kanji.given === null ? null : kanjiFold(kanji.given)
  const address = list(patient['address'])
  const phones = list(patient['telecom'])
    .filter((t) => t['system'] === 'phone')
    .map((t) => phoneDigits(string(t['value'])))
    .filter((p): p is string => p !== null)
  return {
    kanaFamily,
    kanaGiven,
    kanjiFamily,
    kanjiGiven,
    birthDate: birthDate(string(patient['birthDate'])),
    sex: sexOf(patient['gender']),
    postal: first(address, (a) => postalDigits(string(a['postalCode']))),
    phones: [...new Set(phones)].slice(0, PHONES_MAX),
    state: first(address, (a) => string(a['state']) || null),
    insurances: insurancesOf(resources.filter((r) => insures(r, patient))),
    placeholder: isPlaceholderName([kanaFamily, kanaGiven], [kanjiFamily, kanjiGiven]),
    multipleBirth: patient['multipleBirthBoolean'] === true || Number(patient['multipleBirthInteger']) > 0,
  }
}

/** JP Core marks a name's script by an extension (IDE kanji, SYL kana); unmarked names are told by their letters. */
function nameParts(
  names: readonly Json[],
  script: 'IDE' | 'SYL',
): { family: string | null; given: string | null } {
  const marked = names.find((n) =>
    list(n['extension']).some((e) => e['url'] === REPRESENTATION && e['valueCode'] === script),
  )
  const unmarked = names.filter((n) => !list(n['extension']).some((e) => e['url'] === REPRESENTATION))
  const name = marked ?? unmarked.find((n) => (kanaCode(partsOf(n).join('')) !== null) === (script === 'SYL'))
  const [family, given] = name ? partsOf(name) : []
  return { family: family || null, given: given || null }
}

function partsOf(name: Json): string[] {
  const family = string(name['family'])
  const given = Array.isArray(name['given'])
    ? name['given'].filter((g) => typeof g === 'string').join('')
    : ''
  if (family !== '' || given !== '') return [family, given]
  const [head = '', ...rest] = string(name['text'])
    .normalize('NFKC')
    .trim()
    .split(/[\s・]+/u)
  return [head, rest.join('')]
}

/** A child's card names its parent as policy holder: it is the card of the beneficiary alone. */
function insures(resource: Json, patient: Json): boolean {
  if (resource['resourceType'] !== 'Coverage') return false
  const beneficiary = (resource['beneficiary'] as Json | undefined)?.['reference']
  const named =
    typeof beneficiary === 'string' ? /(?:^|\/)Patient\/([^/]+)/.exec(beneficiary)?.[1] : undefined
  return named === undefined || named === patient['id']
}

function insurancesOf(coverages: readonly Json[]): Insurance[] {
  const found = new Map<string, Insurance>()
  for (const coverage of coverages) {
    const insurance = coverageInsurance(coverage)
    if (insurance) found.set(JSON.stringify(insurance), insurance)
  }
  return [...found.values()].slice(0, INSURANCES_MAX)
}

function coverageInsurance(coverage: Json): Insurance | null {
  const [insurer = '', symbol = '', number = '', branch = ''] = memberId(coverage)
  return insuranceOf(
    payer(coverage) ?? insurer,
    extension(coverage, 'JP_Coverage_InsuredPersonSymbol') ?? symbol,
    extension(coverage, 'JP_Coverage_InsuredPersonNumber') ?? number,
    extension(coverage, 'JP_Coverage_InsuredPersonSubNumber') ?? (branch || string(coverage['dependent'])),
  )
}

/** JP-CLINS: 「保険者番号:記号:番号:枝番」. */
function memberId(coverage: Json): string[] {
  const value = first(list(coverage['identifier']), (i) => string(i['value']) || null)
  const parts = (value ?? '').split(':')
  return parts.length >= 3 ? parts : []
}

function payer(coverage: Json): string | null {
  const named = first(list(coverage['payor']), (p) => {
    const identifier = p['identifier'] as Json | undefined
    return string(identifier?.['value']) || /(\d{6,8})$/.exec(string(p['reference']))?.[1] || null
  })
  return named && /^\D*\d{6,8}$/.test(named.normalize('NFKC')) ? named : null
}

function extension(resource: Json, name: string): string | null {
  const found = list(resource['extension']).find((e) => e['url'] === CORE + name)
  return typeof found?.['valueString'] === 'string' ? found['valueString'] : null
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((v): v is Json => typeof v === 'object' && v !== null) : []
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function first<T>(items: readonly Json[], read: (item: Json) => T | null): T | null {
  for (const item of items) {
    const found = read(item)
    if (found !== null) return found
  }
  return null
}
