import { expect, test } from 'vitest'
import { isMessage, readMessage } from '../../hl7v2/message.ts'
import { storedName } from '../file-name.ts'
import { adt00, msh, pid, problems, results } from '../storage.fixture.ts'
import { mapMessage } from './message.ts'
import { resourceId } from './resource-id.ts'
import type { Mapped } from './source.ts'

const P = '0000123456'

function mapped(kind: string, text: string, date = '20260105'): Mapped['resource'][] {
  const message = readMessage(text)
  const name = storedName(`${P}_${date}_${kind}_000000000000777_20260105090000000_01_1`)
  if (!isMessage(message) || !name) throw new Error('fixture')
  return (mapMessage({ message, name, institution: '1310000001' }) ?? []).map((one) => one.resource)
}

const lines = (...all: string[]) => all.join('\r')
const of = (type: string, all: Mapped['resource'][]) => all.filter((one) => one.resourceType === type)

test('ids: JAMI’s parts where FHIR allows them, else 52 characters of their hash; equal for equal parts alone', () => {
  expect(resourceId(P, '-', 'PPR-01', '1', 'PRB.2')).toBe(`${P}.-.PPR-01.1.PRB.2`)
  const long = resourceId(P, '20260105', 'OML-11', '000000000000777', 'OBX.何か.3A010000002327101')
  expect(long).toMatch(/^[a-z2-7]{52}$/)
  expect(resourceId(P, '20260105', 'OML-11', '000000000000777', 'OBX.何か.3A010000002327101')).toBe(long)
  expect(resourceId('a_', 'b')).not.toBe(resourceId('a', '_b'))
})

test('decimals keep their zeros on the way into FHIR', () => {
  const [report, order, item] = ['DiagnosticReport', 'ServiceRequest', 'Observation'].map(
    (type) => of(type, mapped('OML-11', results(P, '7.10')))[0],
  )
  expect(JSON.stringify(item)).toContain('"value":7.10,"unit":"g/dl"')
  expect(item).toMatchObject({
    status: 'final',
    effectiveDateTime: '2026-01-01T09:30:00+09:00',
    subject: { reference: `Patient/${P}` },
  })
  expect(report).toMatchObject({
    result: [{ reference: `Observation/${item?.id}` }],
    basedOn: [{ reference: `ServiceRequest/${order?.id}` }],
  })
  for (const odd of ['>= 1', '  -', '1e5', '.5', '－'])
    expect(of('Observation', mapped('OML-11', results(P, odd)))[0]).toMatchObject({ valueString: odd.trim() })
  expect(of('Observation', mapped('OML-11', results(P, '""')))[0]).not.toHaveProperty('valueQuantity')
})

test('an item’s id does not depend on its line: one taken out above it shifts nothing', () => {
  const two = `${results(P, '7.1')}\rOBX|2|NM|3A015000002327101^アルブミン^JC10||4.9|||||||F`
  const [, kept] = of('Observation', mapped('OML-11', two))
  const alone = two.replace(/OBX\|1\|.*?\r/, '').replace('OBX|2|', 'OBX|1|')
  expect(of('Observation', mapped('OML-11', alone))[0]?.id).toBe(kept?.id)
})

test('visits: what happened, and cancels that say it did not', () => {
  const visit = (event: string, pv1: string) =>
    mapped('ADT-22', lines(msh(`ADT^${event}`), 'EVN||20260105', pid(P), pv1))[0]
  const admitted = `PV1|1|I|32^302^1||||||||||${'|'.repeat(31)}202601051600`
  expect(visit('A01', admitted)).toMatchObject({
    status: 'arrived',
    class: { code: 'IMP' },
    location: [{ location: { display: '32 302 1' } }],
  })
  expect(visit('A11', admitted)).toMatchObject({ status: 'cancelled' })
  expect(visit('A13', 'PV1|1|I')).toMatchObject({ status: 'cancelled' })
  expect(visit('A03', `PV1|1|I${'|'.repeat(43)}202601101000`)).toMatchObject({
    status: 'finished',
    period: { end: '2026-01-10T10:00:00+09:00' },
  })
  expect(mapped('ADT-00', adt00(P).replace('A08', 'A23'))).toEqual([])
})

test('insurance: symbol, number and branch in their fields, or as repetitions of one', () => {
  const card = (in1: string) => of('Coverage', mapped('ADT-00', `${adt00(P)}\r${in1}`, '-'))[0]
  const values = (in1: string) =>
    (card(in1)!['extension'] as { valueString: string }[]).map((one) => one.valueString)
  expect(values('IN1|1|67^国保^JHSD0001|06139999|||||||１２|３４５')).toEqual(['１２', '３４５'])
  expect(values('IN1|1|67^国保^JHSD0001|06139999||||||||123~4567~01')).toEqual(['123', '4567', '01'])
  expect(card('IN1|1|67^国保^JHSD0001|06139999')).toMatchObject({
    payor: [{ identifier: { value: '06139999' } }],
    beneficiary: { reference: `Patient/${P}` },
  })
})

test('problems: codes of both lists, ended ones, and those entered in error', () => {
  const text = problems(P, [['1', '20054174']])
  expect(mapped('PPR-01', text, '-')[0]).toMatchObject({
    identifier: [{ value: '1' }],
    clinicalStatus: { coding: [{ code: 'active' }] },
    code: {
      coding: [{ system: 'http://medis.or.jp/CodeSystem/master-disease-keyNumber', code: '20054174' }],
    },
    onsetDateTime: '2026-01-01',
  })
  const removed = mapped('PPR-01', text.replace('PRB|AD', 'PRB|DE'), '-')[0]
  expect(removed).toMatchObject({ verificationStatus: { coding: [{ code: 'entered-in-error' }] } })
  expect(removed).not.toHaveProperty('clinicalStatus')
})

test('prescriptions: one per drug; an injection’s drugs are the ingredients of its mixture', () => {
  const order = [msh('RDE^O11'), pid(P), 'ORC|NW|9||9_01_002|||||20260105110345']
  const [oral] = mapped(
    'OMP-01',
    lines(
      ...order,
      'RXE||108665201^ダーゼン錠^HOT9|1.0||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||||||3^TAB&錠&MR9P',
      'TQ1|1||1013044400000000&内服・毎食後&JAMISDP01|||5^d|2026010500',
      'RXR|PO^口^HL70162',
    ),
  )
  expect(oral).toMatchObject({
    resourceType: 'MedicationRequest',
    status: 'active',
    medicationCodeableConcept: { coding: [{ system: 'urn:oid:1.2.392.200119.4.403.1', code: '108665201' }] },
    dosageInstruction: [
      {
        timing: { code: { coding: [{ system: 'urn:oid:1.2.392.200250.2.2.20', code: '1013044400000000' }] } },
      },
    ],
    dispenseRequest: { expectedSupplyDuration: { unit: 'd' } },
  })
  expect(oral?.['identifier']).toEqual(
    expect.arrayContaining([{ system: 'urn:oid:1.2.392.100495.20.3.81', value: '01' }]),
  )
  expect(JSON.stringify(oral)).toContain('"value":1.0')
  const [drip] = mapped(
    'OMP-02',
    lines(
      ...order,
      'RXE||00^一般^99I02|510||ML^ミリリットル^MR9P',
      'RXC|B|620007329^ソリタ^HOT9|1|HON^本^MR9P',
      'RXC|A|620002559^アドナ^HOT9|1|AMP^A^MR9P',
    ),
  )
  expect((drip!['contained'] as { ingredient: unknown[] }[])[0]?.ingredient).toHaveLength(2)
  expect(
    mapped('OMP-01', lines(...order.map((line) => line.replace('ORC|NW', 'ORC|CA')), 'RXE||1^薬^HOT9|1'))[0],
  ).toMatchObject({ status: 'cancelled' })
})

test('allergies: the whole list, one taken back, and an onset told in words', () => {
  const list = lines(
    msh('ADT^A60'),
    pid(P),
    'IAM|1|DA^薬剤^HL70127|106824501^アリナミン^HOT9|MO|渇き|A|||||20070710',
    'IAM|2|FA^食物^HL70127|5A1^ソバ^JC10|||D||||||小学校低学年の頃',
  )
  const [first, second] = mapped('ADT-61', list, '-')
  expect(first).toMatchObject({
    category: ['medication'],
    onsetDateTime: '2007-07-10',
    reaction: [{ severity: 'moderate' }],
  })
  expect(second).toMatchObject({
    onsetString: '小学校低学年の頃',
    verificationStatus: { coding: [{ code: 'entered-in-error' }] },
  })
})

test('a kind that has no mapping is none', () => {
  const message = readMessage(adt00(P))
  const name = storedName(`${P}_-_XYZ-99_1_20260105090000000_-_1`)
  expect(isMessage(message) && name && mapMessage({ message, name, institution: null })).toBeNull()
})
