import { asWritten, wide, type Person } from './people.ts'
import type { Random } from './random.ts'

const CORE = 'http://jpfhir.jp/fhir/core'
const EN_REPRESENTATION = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'
const DAY_MS = 86_400_000

/** A FHIR resource as text; decimals are written by hand so that `5.60` keeps its zero. */
export interface Line {
  type: string
  line: string
}

export interface Chart {
  id: string
  /** Ten digits. */
  institution: string
  person: Person
  /** Day the last visit may fall on. */
  about: string
  random: Random
}

const DISEASES = [
  ['E119', '２型糖尿病'],
  ['I10', '本態性高血圧症'],
  ['J459', '気管支喘息'],
  ['C169', '胃癌'],
  ['N183', '慢性腎臓病ステージ３'],
  ['F329', 'うつ病エピソード'],
  ['K219', '逆流性食道炎'],
  ['J101', 'インフルエンザ'],
] as const
const TESTS = [
  ['3D046000001906202', 'ＨｂＡ１ｃ', '%', 52, 110, 1],
  ['3C015000002327101', 'クレアチニン', 'mg/dL', 40, 250, 2],
  ['3B035000002327201', 'ＡＳＴ', 'U/L', 120, 900, 1],
  ['2A030000001930101', 'ヘモグロビン', 'g/dL', 90, 170, 1],
  ['3F050000002327101', '総コレステロール', 'mg/dL', 1300, 2900, 1],
] as const
const DRUGS = [
  ['622242501', 'アムロジピン錠５ｍｇ', 'mg', '5.0'],
  ['620009201', 'メトホルミン塩酸塩錠２５０ｍｇ', 'mg', '250.00'],
  ['622415701', 'ランソプラゾールＯＤ錠１５ｍｇ', 'mg', '15.0'],
] as const

export function chartLines(chart: Chart): Line[] {
  const visits = chart.random.int(1, 4)
  const lines = [patient(chart), coverage(chart)]
  for (let visit = 0; visit < visits; visit++) lines.push(...visitLines(chart, visit))
  return lines
}

function patient({ id, institution, person, random }: Chart): Line {
  const written = asWritten(person, random)
  const named = (code: string, family: string, given: string) => ({
    extension: [{ url: EN_REPRESENTATION, valueCode: code }],
    use: 'official',
    text: `${family}　${given}`,
    family,
    given: [given],
  })
  return line({
    resourceType: 'Patient',
    id,
    meta: { profile: [`${CORE}/StructureDefinition/JP_Patient`] },
    identifier: [{ use: 'usual', system: `urn:oid:1.2.392.100495.20.3.51.1${institution}`, value: id }],
    active: true,
    name: [
      named('IDE', written.familyWritten, person.given.kanji),
      named('SYL', person.family.kana, person.given.kana),
    ],
    telecom: [{ system: 'phone', value: written.phone, use: 'home' }],
    gender: person.sex,
    birthDate: person.birthDate,
    address: [
      {
        text: `${person.place.prefecture}${person.place.city}${written.street}`,
        line: [written.street],
        city: person.place.city,
        state: person.place.prefecture,
        postalCode: person.place.postal,
        country: 'JP',
      },
    ],
  })
}

function coverage({ id, person: { insurance } }: Chart): Line {
  const told = (name: string, valueString: string) => ({
    url: `${CORE}/Extension/StructureDefinition/JP_Coverage_InsuredPerson${name}`,
    valueString,
  })
  return line({
    resourceType: 'Coverage',
    id: `cov-${id}`,
    meta: { profile: [`${CORE}/StructureDefinition/JP_Coverage`] },
    extension: [
      told('Symbol', wide(insurance.symbol)),
      told('Number', wide(insurance.number)),
      told('SubNumber', wide(insurance.branch)),
    ],
    identifier: [
      {
        system: 'http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID',
        value: `${insurance.insurer}:${insurance.symbol}:${insurance.number}:${insurance.branch}`,
      },
    ],
    status: 'active',
    beneficiary: { reference: `Patient/${id}` },
    payor: [{ identifier: { value: insurance.insurer } }],
    dependent: insurance.branch,
  })
}

function visitLines(chart: Chart, visit: number): Line[] {
  const { id, random, about } = chart
  const at = new Date(Date.parse(about) - random.int(visit * 60 + 1, visit * 60 + 50) * DAY_MS)
  const day = at.toISOString().slice(0, 10)
  const when = `${day}T${String(random.int(9, 16)).padStart(2, '0')}:${String(random.int(0, 59)).padStart(2, '0')}:00+09:00`
  const encounter = `enc-${id}-${visit + 1}`
  const refers = {
    subject: { reference: `Patient/${id}` },
    encounter: { reference: `Encounter/${encounter}` },
  }
  const meta = { lastUpdated: when }
  const [icd, disease] = random.pick(DISEASES)
  const lines = [
    line({
      resourceType: 'Encounter',
      id: encounter,
      meta,
      status: 'finished',
      class: {
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
        code: random.chance(0.1) ? 'IMP' : 'AMB',
      },
      subject: refers.subject,
      period: { start: when, end: `${day}T17:30:00+09:00` },
    }),
    line({
      resourceType: 'Condition',
      id: `cond-${id}-${visit + 1}`,
      meta,
      code: {
        coding: [{ system: `${CORE}/mhlw/CodeSystem/ICD10-2013-full`, code: icd, display: disease }],
        text: disease,
      },
      ...refers,
      onsetDateTime: day,
    }),
  ]
  for (let n = 0; n < random.int(2, 5); n++)
    lines.push(observation(chart, `${visit + 1}-${n + 1}`, when, refers))
  if (random.chance(0.7)) lines.push(medication(chart, visit + 1, when, refers))
  if (random.chance(0.3)) lines.push(note(chart, visit + 1, when, refers.subject, disease))
  return lines
}

type About = { subject: { reference: string }; encounter: { reference: string } }

function observation({ id, random }: Chart, n: string, when: string, about: About): Line {
  const [code, display, unit, low, high, places] = random.pick(TESTS)
  const value = (random.int(low, high) / 10 ** places).toFixed(places)
  return decimal(
    {
      resourceType: 'Observation',
      id: `obs-${id}-${n}`,
      meta: { lastUpdated: when },
      status: 'final',
      category: [
        { coding: [{ system: `${CORE}/CodeSystem/JP_SimpleObservationCategory_CS`, code: 'laboratory' }] },
      ],
      code: { coding: [{ system: 'urn:oid:1.2.392.200119.4.504', code, display }], text: display },
      ...about,
      effectiveDateTime: when,
      valueQuantity: { value: DECIMAL, unit },
    },
    value,
  )
}

function medication({ id, random }: Chart, n: number, when: string, about: About): Line {
  const [code, display, unit, value] = random.pick(DRUGS)
  return decimal(
    {
      resourceType: 'MedicationRequest',
      id: `rx-${id}-${n}`,
      meta: { lastUpdated: when },
      identifier: [{ system: 'urn:oid:1.2.392.100495.20.3.81', value: '1' }],
      status: 'completed',
      intent: 'order',
      medicationCodeableConcept: {
        coding: [{ system: 'urn:oid:1.2.392.200119.4.403.1', code, display }],
        text: display,
      },
      ...about,
      authoredOn: when,
      dosageInstruction: [
        { text: '１日１回朝食後', doseAndRate: [{ doseQuantity: { value: DECIMAL, unit } }] },
      ],
    },
    value,
  )
}

function note({ id, person }: Chart, n: number, date: string, subject: object, disease: string): Line {
  const text = `${person.family.kanji}様。${disease}の経過は良好。ご家族（${person.phone}）に説明した。次回は１か月後。`
  return line({
    resourceType: 'DocumentReference',
    id: `doc-${id}-${n}`,
    meta: { lastUpdated: date },
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }], text: '経過記録' },
    subject,
    date,
    content: [
      { attachment: { contentType: 'text/plain', data: Buffer.from(text, 'utf8').toString('base64') } },
    ],
  })
}

interface Resource {
  resourceType: string
  [element: string]: unknown
}

const DECIMAL = '\u0000decimal'

function decimal(resource: Resource, value: string): Line {
  const { type, line: text } = line(resource)
  return { type, line: text.replace(JSON.stringify(DECIMAL), value) }
}

function line(resource: Resource): Line {
  return { type: resource.resourceType, line: JSON.stringify(resource) }
}
