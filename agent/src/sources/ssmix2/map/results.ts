import { groupsOf, type Segment } from '../../hl7v2/message.ts'
import { observation } from './observation.ts'
import { order } from './orders.ts'
import {
  concept,
  filled,
  idOf,
  type Json,
  type Mapped,
  Names,
  resource,
  type Source,
  subject,
  time,
} from './source.ts'

const REPORT_STATUSES: Readonly<Record<string, string>> = {
  F: 'final',
  C: 'corrected',
  P: 'preliminary',
  R: 'preliminary',
  I: 'registered',
  O: 'registered',
  X: 'cancelled',
  A: 'partial',
}

/**
 * Results of laboratories (OML-11) and of other examinations (OMG-11, -12, -13): an item belongs to the nearest report
 * and specimen above it.
 */
export function resultsOf(source: Source, category: 'laboratory' | 'imaging' | 'exam'): Mapped[] {
  const names = new Names()
  const found: Mapped[] = []
  for (const group of groupsOf(source.message.segments, 'SPM', 'OBR')) {
    const [head] = group
    if (head?.name === 'SPM') found.push(specimen(source, head, names))
    else if (head)
      found.push(
        ...report(source, group as [Segment, ...Segment[]], {
          category,
          names,
          specimen: lastSpecimen(found),
        }),
      )
  }
  return found
}

function lastSpecimen(found: readonly Mapped[]): Mapped | undefined {
  return found.findLast((one) => one.resource.resourceType === 'Specimen')
}

function specimenName(spm: Segment): string {
  return spm.text(2) || spm.text(2, 2) || `${spm.text(4)}.${spm.text(1)}`
}

export function specimen(source: Source, spm: Segment, names: Names): Mapped {
  const [start, end] = [time(spm, 17), undefined]
  return {
    resource: resource('Specimen', idOf(source, names.next(`SPM.${specimenName(spm)}`)), {
      identifier: spm.text(2) === '' ? [] : [{ value: spm.text(2) }],
      type: concept(spm.first(4), source.institution),
      subject: subject(source),
      collection: filled({
        collectedDateTime: start ?? end,
        bodySite: concept(spm.first(8), source.institution),
      }),
    }),
    segments: [spm],
  }
}

interface ReportParts {
  category: 'laboratory' | 'imaging' | 'exam'
  names: Names
  specimen: Mapped | undefined
}

function report(source: Source, group: [Segment, ...Segment[]], parts: ReportParts): Mapped[] {
  const [obr] = group
  const { names, category } = parts
  const within = [parts.specimen?.resource.id ?? '', obr.text(2), obr.text(4)].join('.')
  const taken = parts.specimen ? { reference: `Specimen/${parts.specimen.resource.id}` } : undefined
  const effective =
    time(obr, 7) ?? (parts.specimen?.resource['collection'] as Json | undefined)?.['collectedDateTime']
  const items = group
    .filter((segment) => segment.name === 'OBX')
    .flatMap((obx) =>
      observation(source, obx, {
        names,
        category,
        within,
        specimen: taken,
        effective: effective as string | undefined,
      }),
    )
  const orc = group.find((segment) => segment.name === 'ORC')
  const ordered = orc && orc.text(2) !== '' ? order(source, orc, obr, names) : undefined
  const notes = group.filter((segment) => segment.name === 'NTE')
  return [
    {
      resource: resource('DiagnosticReport', idOf(source, names.next(`OBR.${within}`)), {
        identifier: [obr.text(2), obr.text(3)].filter((value) => value !== '').map((value) => ({ value })),
        basedOn: ordered ? [{ reference: `ServiceRequest/${ordered.resource.id}` }] : [],
        status: REPORT_STATUSES[obr.text(25)] ?? (items.length > 0 ? 'final' : 'unknown'),
        category: [
          {
            coding: [
              {
                system: 'http://terminology.hl7.org/CodeSystem/v2-0074',
                code: category === 'laboratory' ? 'LAB' : 'OTH',
              },
            ],
          },
        ],
        code: concept(obr.first(4), source.institution) ?? { text: source.name.kind },
        subject: subject(source),
        effectiveDateTime: effective,
        issued: instant(time(obr, 22)),
        specimen: taken ? [taken] : [],
        result: items.map((one) => ({ reference: `Observation/${one.resource.id}` })),
        conclusion: notes
          .map((note) => note.text(3))
          .filter((text) => text !== '')
          .join('\n'),
      }),
      segments: [obr, ...notes],
    },
    ...(ordered ? [ordered] : []),
    ...items,
  ]
}

function instant(told: string | undefined): string | undefined {
  return told !== undefined && told.length > 10 ? told : undefined
}
