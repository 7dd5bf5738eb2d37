import { firstSegment } from '../../hl7v2/message.ts'
import { concept, filled, idOf, type Mapped, person, resource, type Source, subject, time } from './source.ts'

/** By the event of the message; what is not here happened (`unknown`). Cancels say that it did not. */
const STATUS_OF: Readonly<Record<string, string>> = {
  A01: 'arrived',
  A02: 'in-progress',
  A03: 'finished',
  A04: 'arrived',
  A14: 'planned',
  A15: 'planned',
  A16: 'planned',
  A21: 'onleave',
  A22: 'in-progress',
  A54: 'in-progress',
  A11: 'cancelled',
  A12: 'cancelled',
  A13: 'cancelled',
  A25: 'cancelled',
  A26: 'cancelled',
  A27: 'cancelled',
  A52: 'cancelled',
  A53: 'cancelled',
  A55: 'cancelled',
}

const CLASSES: Readonly<Record<string, string>> = { I: 'IMP', O: 'AMB', E: 'EMER' }

/** A visit, an admission, a move, a discharge (ADT-01 to -52). */
export function encounterOf(source: Source): Mapped[] {
  const { message } = source
  const pv1 = firstSegment(message, 'PV1')
  if (!pv1) return []
  const evn = firstSegment(message, 'EVN')
  const pv2 = firstSegment(message, 'PV2')
  const event = eventOf(source)
  const code = CLASSES[pv1.text(2)]
  const [admitted, discharged] = [time(pv1, 44), time(pv1, 45)]
  const happened = time(evn, 6) ?? time(pv2, 8) ?? time(pv2, 9) ?? time(pv2, 47)
  const start = admitted ?? (discharged === undefined ? (happened ?? dayOf(source)) : undefined)
  const place = ['ward', 'room', 'bed'].map((_, n) => pv1.text(3, n + 1)).filter((part) => part !== '')
  return [
    {
      resource: resource('Encounter', idOf(source, 'PV1'), {
        identifier: pv1.text(19) === '' ? [] : [{ value: pv1.text(19) }],
        status: STATUS_OF[event] ?? 'unknown',
        class: filled({
          system: code === undefined ? undefined : 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
          code: code ?? (pv1.text(2) || 'AMB'),
        }),
        serviceType: department(source, pv1.text(10)),
        subject: subject(source),
        participant: pv1.repetitions(7).flatMap((one) => {
          const individual = person(one)
          return individual ? [{ individual }] : []
        }),
        period: filled({ start, end: discharged }),
        hospitalization: filled({ dischargeDisposition: concept(pv1.first(36), source.institution) }),
        location: place.length === 0 ? [] : [{ location: { display: place.join(' ') } }],
      }),
      segments: [...(evn ? [evn] : []), pv1, ...(pv2 ? [pv2] : [])],
    },
  ]
}

function department(source: Source, told: string): object | undefined {
  const code = told || (source.name.department === '-' ? '' : source.name.department)
  return code === ''
    ? undefined
    : { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0069', code }] }
}

function dayOf({ name: { date } }: Source): string | undefined {
  return date === '-' ? undefined : `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
}

export function eventOf({ message }: Pick<Source, 'message'>): string {
  return firstSegment(message, 'MSH')?.text(9, 2) || (firstSegment(message, 'EVN')?.text(1) ?? '')
}
