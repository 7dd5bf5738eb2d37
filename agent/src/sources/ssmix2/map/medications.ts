import { groupsOf, type Composite, type Segment } from '../../hl7v2/message.ts'
import {
  codeOf,
  concept,
  filled,
  idOf,
  type Json,
  type Mapped,
  Names,
  person,
  quantity,
  resource,
  type Source,
  subject,
  time,
} from './source.ts'

const CANCELS = new Set(['CA', 'DC', 'OC', 'CR'])
const RP = 'urn:oid:1.2.392.100495.20.3.81'
const IN_RP = 'urn:oid:1.2.392.100495.20.3.82'

/** OMP-01 and OMP-02: one request per `RXE`; an injection's drugs are its `RXC`. */
export function requestsOf(source: Source): Mapped[] {
  const names = new Names()
  return groupsOf(source.message.segments, 'ORC').flatMap((order) =>
    groupsOf(order, 'RXE').map((group) =>
      request(source, order[0] as Segment, group as [Segment, ...Segment[]], names),
    ),
  )
}

function request(source: Source, orc: Segment, group: [Segment, ...Segment[]], names: Names): Mapped {
  const [rxe] = group
  const of = (name: string) => group.filter((segment) => segment.name === name)
  const [tq1] = of('TQ1')
  const [rxr] = of('RXR')
  const parts = of('RXC')
  const drug = rxe.first(2)
  const placer = orc.text(4) || orc.text(2)
  const name = names.next(`RXE.${placer}.${drug.text(1) || drug.text(2)}`)
  const [, rp, turn] = orc.text(4).split('_')
  const members = {
    identifier: [
      filled({ system: 'urn:oid:1.2.392.100495.20.3.11', value: rxe.text(15) || orc.text(2) }),
      ...(rp ? [{ system: RP, value: rp }] : orc.text(4) === '' ? [] : [{ system: RP, value: orc.text(4) }]),
      ...(turn ? [{ system: IN_RP, value: turn }] : []),
    ],
    status: CANCELS.has(orc.text(1)) ? 'cancelled' : 'active',
    intent: 'order',
    category: rxe.repetitions(21).flatMap((one) => concept(one, source.institution) ?? []),
    subject: subject(source),
    authoredOn: time(rxe, 32) ?? time(orc, 9),
    requester: person(orc.first(12)),
    dosageInstruction: [dosage(source, rxe, tq1, rxr)],
    dispenseRequest: filled({
      quantity: quantity(rxe.text(10), rxe.first(11)),
      expectedSupplyDuration: duration(tq1?.first(6)),
    }),
  }
  const segments = [orc, ...group.filter((segment) => ['RXE', 'TQ1', 'RXR', 'RXC'].includes(segment.name))]
  return {
    resource: resource('MedicationRequest', idOf(source, name), {
      ...members,
      ...medication(source, drug, parts),
    }),
    segments,
  }
}

/** Drugs mixed together are ingredients of a medication inside the resource. */
function medication(source: Source, drug: Composite, parts: readonly Segment[]): Json {
  const code = concept(drug, source.institution)
  if (parts.length === 0) return { medicationCodeableConcept: code ?? { text: '' } }
  const ingredient = parts.map((rxc) =>
    filled({
      itemCodeableConcept: concept(rxc.first(2), source.institution),
      isActive: rxc.text(1) === 'A',
      strength: filled({ numerator: quantity(rxc.text(3), rxc.first(4)), denominator: { value: 1 } }),
    }),
  )
  return {
    contained: [{ resourceType: 'Medication', id: 'mix', ...filled({ code, ingredient }) }],
    medicationReference: { reference: '#mix' },
  }
}

function dosage(source: Source, rxe: Segment, tq1: Segment | undefined, rxr: Segment | undefined): Json {
  const pattern = tq1?.first(3).inside(1)
  const usage = pattern ? codeOf(pattern, source.institution) : null
  const daily = rxe.first(19)
  const [start, end] = [time(tq1, 7), time(tq1, 8)]
  return filled({
    text: pattern?.text(2) || rxe.text(7, 2),
    timing: filled({
      code: usage ? { coding: [usage], text: usage['display'] } : undefined,
      repeat: filled({
        boundsPeriod: start === undefined && end === undefined ? undefined : filled({ start, end }),
      }),
    }),
    route: rxr ? concept(rxr.first(1), source.institution) : undefined,
    site: rxr ? concept(rxr.first(2), source.institution) : undefined,
    method: rxr ? concept(rxr.first(4), source.institution) : undefined,
    doseAndRate: [
      filled({
        doseQuantity: quantity(rxe.text(3), rxe.first(5)),
        rateQuantity: rate(rxe),
      }),
    ].filter((one) => Object.keys(one).length > 0),
    maxDosePerPeriod:
      daily.text(1) === ''
        ? undefined
        : filled({
            numerator: quantity(daily.text(1), daily.inside(2)),
            denominator: { value: 1, unit: 'd' },
          }),
  })
}

function rate(rxe: Segment): Json | undefined {
  return quantity(rxe.text(23), rxe.first(24)) ?? undefined
}

function duration(told: Composite | undefined): Json | undefined {
  const number = told ? quantity(told.text(1), told) : null
  if (!number || !told) return undefined
  const unit = /[a-z]+/i.exec(told.text(2) || told.text(1).replace(/\d/g, ''))?.[0]
  return filled({ value: number['value'], unit })
}

/** OMP-11 and OMP-12: one administration per `RXA`. */
export function administrationsOf(source: Source): Mapped[] {
  const names = new Names()
  return groupsOf(source.message.segments, 'ORC').flatMap((order) => {
    const rxr = order.find((segment) => segment.name === 'RXR')
    return order
      .filter((segment) => segment.name === 'RXA' && segment.fields > 0)
      .map((rxa) => given(source, order[0] as Segment, rxa, rxr, names))
  })
}

const GIVEN: Readonly<Record<string, string>> = {
  CP: 'completed',
  PA: 'in-progress',
  NA: 'not-done',
  RE: 'not-done',
}

function given(source: Source, orc: Segment, rxa: Segment, rxr: Segment | undefined, names: Names): Mapped {
  const name = names.next(`RXA.${orc.text(4) || orc.text(2)}.${rxa.text(3)}.${rxa.text(5)}`)
  const [start, end] = [time(rxa, 3), time(rxa, 4)]
  const performer = person(rxa.first(10))
  return {
    resource: resource('MedicationAdministration', idOf(source, name), {
      identifier: [{ value: orc.text(2) }],
      status:
        CANCELS.has(orc.text(1)) || rxa.text(21) === 'D'
          ? 'entered-in-error'
          : (GIVEN[rxa.text(20)] ?? 'completed'),
      medicationCodeableConcept: concept(rxa.first(5), source.institution) ?? { text: '' },
      subject: subject(source),
      effectivePeriod: filled({ start, end }),
      performer: performer ? [{ actor: performer }] : [],
      note: rxa.text(9, 2) === '' ? [] : [{ text: rxa.text(9, 2) }],
      dosage: filled({
        route: rxr ? concept(rxr.first(1), source.institution) : undefined,
        dose: quantity(rxa.text(6), rxa.first(7)),
      }),
    }),
    segments: [orc, rxa, ...(rxr ? [rxr] : [])],
  }
}
