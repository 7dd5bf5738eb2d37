import { firstSegment, segmentsOf, type Segment } from '../../hl7v2/message.ts'
import { addresses, birthAndSex, humanNames, phones } from './demographics.ts'
import { observation } from './observation.ts'
import {
  concept,
  filled,
  idOf,
  type Json,
  type Mapped,
  Names,
  patientIdOf,
  resource,
  type Source,
  subject,
  time,
} from './source.ts'

const COVERAGE = 'http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPerson'

/** ADT-00: who the person is, with cards, allergies, body measures and kin. */
export function patientOf(source: Source): Mapped[] {
  const { message } = source
  const pid = firstSegment(message, 'PID')
  if (!pid) return []
  const names = new Names()
  return [
    patient(source, pid),
    ...segmentsOf(message, 'IN1').map((in1) => coverage(source, in1, names)),
    ...segmentsOf(message, 'AL1').flatMap((al1) => allergy(source, al1, names)),
    ...segmentsOf(message, 'OBX').flatMap((obx) =>
      observation(source, obx, { names, category: 'vital-signs' }),
    ),
    ...segmentsOf(message, 'NK1').map((nk1) => relative(source, nk1, names)),
  ]
}

export function patientIdentifier({ name, institution }: Source): Json {
  const system = institution === null ? undefined : `urn:oid:1.2.392.100495.20.3.51.1${institution}`
  return filled({
    use: 'usual',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
    system,
    value: name.patient,
  })
}

function patient(source: Source, pid: Segment): Mapped {
  const death = time(pid, 29)
  const died = death ? { deceasedDateTime: death } : pid.text(30) === 'Y' ? { deceasedBoolean: true } : {}
  return {
    resource: resource('Patient', patientIdOf(source.name.patient), {
      identifier: [patientIdentifier(source)],
      name: humanNames(pid.repetitions(5)),
      telecom: phones(pid, [
        [13, 'home'],
        [14, 'work'],
      ]),
      ...birthAndSex(pid),
      ...died,
      address: addresses(pid.repetitions(11)),
    }),
    segments: [pid],
  }
}

function coverage(source: Source, in1: Segment, names: Names): Mapped {
  const insurer = in1.text(3)
  // one vendor writes symbol, number and branch as repetitions of the number
  const number = in1.repetitions(11).map((one) => one.text(1))
  const [symbol, own, branch] =
    number.length > 1
      ? [number[0], number[1], number[2]]
      : [in1.text(10, 1), number[0], in1.text(10, 4) || in1.text(10, 2)]
  const extension = [
    [symbol, 'Symbol'],
    [own, 'Number'],
    [branch, 'SubNumber'],
  ].flatMap(([value, name]) => (value ? [{ url: `${COVERAGE}${name}`, valueString: value }] : []))
  const plan = concept(in1.first(2), source.institution)
  return {
    resource: resource('Coverage', idOf(source, names.next(`IN1.${in1.text(2)}.${insurer}.${own ?? ''}`)), {
      extension,
      status: 'active',
      type: plan,
      beneficiary: subject(source),
      dependent: branch,
      relationship: concept(in1.first(17), source.institution),
      period: filled({ start: time(in1, 12), end: time(in1, 13) }),
      payor: [
        filled({
          identifier: insurer === '' ? undefined : { value: insurer },
          display: in1.text(4) || plan?.['text'],
        }),
      ],
    }),
    segments: [in1],
  }
}

function allergy(source: Source, al1: Segment, names: Names): Mapped[] {
  const code = concept(al1.first(3), source.institution)
  if (!code) return []
  return [
    {
      resource: resource('AllergyIntolerance', idOf(source, names.next(`AL1.${al1.first(3).raw}`)), {
        clinicalStatus: clinical('active'),
        category: categoryOf(al1.text(2)),
        code,
        patient: subject(source),
        onsetDateTime: time(al1, 6),
        reaction: al1.text(5) === '' ? [] : [{ manifestation: [{ text: al1.text(5) }] }],
      }),
      segments: [al1],
    },
  ]
}

export function clinical(code: string): Json {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code }] }
}

export function categoryOf(kind: string): string[] {
  const category = {
    DA: 'medication',
    FA: 'food',
    EA: 'environment',
    LA: 'environment',
    AA: 'environment',
    PA: 'environment',
  }[kind]
  return category === undefined ? [] : [category]
}

function relative(source: Source, nk1: Segment, names: Names): Mapped {
  return {
    resource: resource('RelatedPerson', idOf(source, names.next(`NK1.${nk1.text(3)}.${nk1.text(1)}`)), {
      patient: subject(source),
      relationship: [concept(nk1.first(3), source.institution)].filter((one) => one !== undefined),
      name: humanNames(nk1.repetitions(2)),
      telecom: phones(nk1, [
        [5, 'home'],
        [6, 'work'],
      ]),
      address: addresses(nk1.repetitions(4)),
    }),
    segments: [nk1],
  }
}
