import { groupsOf, type Segment } from '../../hl7v2/message.ts'
import { concept, idOf, type Mapped, Names, person, resource, type Source, subject, time } from './source.ts'

const CANCELS = new Set(['CA', 'DC', 'OC', 'CR'])

/** Orders: laboratory (OML-01), examinations (OMG-01, -02, -03), meals (OMD). */
export function ordersOf(source: Source): Mapped[] {
  const names = new Names()
  const found: Mapped[] = []
  for (const group of groupsOf(source.message.segments, 'ORC')) {
    const [orc] = group
    const heads = group.filter((segment) => segment.name === 'OBR' || segment.name === 'ODS')
    for (const head of heads) found.push(order(source, orc as Segment, head, names))
  }
  return found
}

export function order(source: Source, orc: Segment, what: Segment, names: Names): Mapped {
  const placer = orc.text(2)
  const coded = what.name === 'ODS' ? what.first(3) : what.first(4)
  const code = concept(coded, source.institution)
  return {
    resource: resource(
      'ServiceRequest',
      idOf(source, names.next(`ORC.${placer}.${what.name}.${coded.text(1)}`)),
      {
        identifier: [placer, orc.text(3)].filter((value) => value !== '').map((value) => ({ value })),
        status: CANCELS.has(orc.text(1)) ? 'revoked' : orc.text(5) === 'CM' ? 'completed' : 'active',
        intent: 'order',
        code: code ?? (what.name === 'ODS' ? { text: what.text(4) } : { text: source.name.kind }),
        subject: subject(source),
        occurrenceDateTime: time(orc, 15),
        authoredOn: time(orc, 9),
        requester: person(orc.first(12)),
        note: what.name === 'ODS' && what.text(4) !== '' ? [{ text: what.text(4) }] : [],
      },
    ),
    segments: [orc, what],
  }
}
