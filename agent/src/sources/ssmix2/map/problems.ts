import { groupsOf, type Segment } from '../../hl7v2/message.ts'
import {
  codeOf,
  concept,
  filled,
  idOf,
  type Json,
  type Mapped,
  Names,
  person,
  resource,
  type Source,
  subject,
  time,
} from './source.ts'

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'
const CLINICAL = 'http://terminology.hl7.org/CodeSystem/condition-clinical'
const VERIFICATION = 'http://terminology.hl7.org/CodeSystem/condition-ver-status'

/** PPR-01: every problem of the person in one file, or one file each. */
export function problemsOf(source: Source): Mapped[] {
  const names = new Names()
  return groupsOf(source.message.segments, 'PRB').flatMap((group) =>
    problem(source, group as [Segment, ...Segment[]], names),
  )
}

function problem(source: Source, group: [Segment, ...Segment[]], names: Names): Mapped[] {
  const [prb] = group
  const instance = prb.text(4)
  const disease = prb.first(3)
  if (instance === '' && disease.raw === '') return []
  const zpr = group.filter((segment) => segment.name === 'ZPR')
  const classes = prb.repetitions(10).flatMap((one) => codeOf(one, source.institution) ?? [])
  const main = codeOf(disease, source.institution)
  const removed = prb.text(1) === 'DE' || prb.text(1) === 'CA'
  const ended = time(prb, 9) ?? (prb.text(14) === '' ? undefined : time(prb, 15))
  const name = instance === '' ? `PRB.${disease.raw}.${prb.text(16)}` : `PRB.${instance}`
  return [
    {
      resource: resource('Condition', idOf(source, names.next(name)), {
        meta: labelled(prb),
        identifier: instance === '' ? [] : [{ value: instance }],
        clinicalStatus: removed ? undefined : status(CLINICAL, ended === undefined ? 'active' : 'resolved'),
        verificationStatus: status(
          VERIFICATION,
          removed ? 'entered-in-error' : suspected(prb) ? 'provisional' : 'confirmed',
        ),
        category: [
          {
            coding: [
              {
                system: 'http://terminology.hl7.org/CodeSystem/condition-category',
                code: 'problem-list-item',
              },
            ],
          },
        ],
        code: filled({ coding: main ? [main, ...classes] : classes, text: disease.text(2) || prb.text(17) }),
        subject: subject(source),
        onsetDateTime: time(prb, 16),
        abatementDateTime: ended,
        recordedDate: time(prb, 7) ?? time(prb, 2),
        recorder: person((group.find((segment) => segment.name === 'ORC') ?? prb).first(12)),
        note: modifiers(source, zpr),
      }),
      segments: [prb, ...zpr],
      security: securityOf(prb),
    },
  ]
}

function suspected(prb: Segment): boolean {
  return ['1', 'Y', 'T'].includes(prb.text(13)) || /の疑い$/.test(prb.text(3, 2))
}

function status(system: string, code: string): Json {
  return { coding: [{ system, code }] }
}

/** PRB-25 (HL70177): R and V restrict who may see it; what is not known restricts too. */
function securityOf(prb: Segment): string[] {
  return prb
    .repetitions(25)
    .map((one) => one.text(1))
    .filter((code) => code !== '')
    .map((code) => `${CONFIDENTIALITY}|${code}`)
}

function labelled(prb: Segment): Json {
  return filled({
    security: securityOf(prb).map((label) => ({
      system: CONFIDENTIALITY,
      code: label.slice(label.lastIndexOf('|') + 1),
    })),
  })
}

function modifiers(source: Source, zpr: readonly Segment[]): Json[] {
  const texts = zpr.flatMap((segment) =>
    [1, 3, 4, 5, 6].flatMap((field) =>
      segment.repetitions(field).map((one) => concept(one, source.institution)?.['text']),
    ),
  )
  const found = texts.filter((text) => typeof text === 'string' && text !== '')
  return found.length === 0 ? [] : [{ text: found.join('、') }]
}
