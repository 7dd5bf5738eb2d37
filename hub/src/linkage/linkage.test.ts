import { systemEnv } from '@kakehashi/protocol/env'
import { parsePatientKey } from '@kakehashi/protocol/ids'
import { closeFresh, freshLocation } from '@kakehashi/store/location.fixture'
import { openStore, type Store } from '@kakehashi/store/store'
import { afterEach, expect, test } from 'vitest'
import { ENGINE } from '../content/engine.fixture.ts'
import { sourceRecord } from '../content/records.fixture.ts'
import { eraseIdentity } from '../identity/erase.ts'
import { takeIdentity } from '../identity/intake.ts'
import { namedChart } from '../identity/read.ts'
import { identityMigrations } from '../identity/store.ts'
import { linkNewRecords } from './flow.ts'
import { kanaCode, insuranceOf, phoneDigits } from './normalise.ts'
import { answerReview, openReviews, unlink } from './review.ts'
import { linkageMigrations, links, personOf, type LinkingTables } from './store.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

async function newIdentity(): Promise<Store<LinkingTables>> {
  const at = freshLocation(ENGINE)
  const store = await openStore<LinkingTables>(at, [...identityMigrations, ...linkageMigrations], systemEnv())
  opened.push(() => closeFresh(store, at))
  return store
}

interface Person {
  family?: string
  given?: string
  birth?: string
  sex?: string
  phone?: string
  postal?: string
  card?: [string, string, string, string]
}

const TARO: Required<Person> = {
  family: 'ヤマダ',
  given: 'タロウ',
  birth: '1980-05-05',
  sex: 'male',
  phone: '03-1234-5678',
  postal: '100-0001',
  card: ['06130012', '12', '345', '01'],
}

function chart(key: string, person: Person) {
  const local = key.split('/')[1]
  const patient = {
    resourceType: 'Patient',
    id: `p-${local}`,
    name: [
      {
        family: person.family,
        given: [person.given],
        extension: [
          { url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode: 'SYL' },
        ],
      },
    ],
    gender: person.sex,
    birthDate: person.birth,
    address: [{ state: '13', postalCode: person.postal, text: '東京都' }],
    telecom: [{ system: 'phone', value: person.phone }],
  }
  const records = [sourceRecord(key, patient)]
  if (!person.card) return records
  const [insurer, symbol, number, branch] = person.card
  const core = 'http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPerson'
  return [
    ...records,
    sourceRecord(key, {
      resourceType: 'Coverage',
      id: `c-${local}`,
      payor: [{ reference: `Organization/payer-${insurer}` }],
      extension: [
        { url: `${core}Symbol`, valueString: symbol },
        { url: `${core}Number`, valueString: number },
        ...(branch ? [{ url: `${core}SubNumber`, valueString: branch }] : []),
      ],
    }),
  ]
}

async function place(store: Store<LinkingTables>, key: string, person: Person) {
  await takeIdentity(store, chart(key, person))
  return linkNewRecords(store)
}

const A = parsePatientKey('hospital-a/0001')
const B = parsePatientKey('hospital-b/77')
const C = parsePatientKey('hospital-c/x9')

async function same(store: Store<LinkingTables>, a = A, b = B): Promise<boolean> {
  return (await personOf(store.db, a)) === (await personOf(store.db, b))
}

test('R30 kana folds to one byte each: width, hiragana, small kana, long vowel, spaces', () => {
  expect(kanaCode('やまだ')).toBe(kanaCode('ﾔﾏﾀﾞ'))
  expect(kanaCode('キョーコ')).toBe(kanaCode('キヨコ'))
  expect(kanaCode('ミヅエ ・')).toBe(kanaCode('みずえ'))
  expect(kanaCode('サトウ')).not.toBe(kanaCode('カトウ'))
  expect(kanaCode('サトウ')).toHaveLength(3)
  expect(kanaCode('山田')).toBeNull()
  expect(insuranceOf('０６１３００１２', '１２－', '00345', '1')).toEqual({
    insurer: '06130012',
    symbol: '12',
    number: '345',
    branch: '01',
  })
  expect(phoneDigits('+81 3 1234 5678')).toBe('0312345678')
  expect(phoneDigits('00000000000')).toBeNull()
})

test('R30 the same person at two hospitals is attached by kana, birth date, sex and insurance', async () => {
  const store = await newIdentity()
  await place(store, A, TARO)
  expect(await place(store, B, { ...TARO, family: 'やまだ', phone: '', postal: '' })).toMatchObject({
    attached: 1,
  })
  expect(await same(store)).toBe(true)
  const decision = await store.db
    .selectFrom('link_decision')
    .selectAll()
    .where('chart', '=', B)
    .executeTakeFirstOrThrow()
  expect(JSON.parse(decision.reasons)).toEqual(['kana-agrees', 'insurance-agrees'])
  expect(await takeIdentity(store, chart(B, { ...TARO, family: 'やまだ', phone: '', postal: '' }))).toEqual({
    charts: 0,
    resources: 0,
  })
  expect(await linkNewRecords(store)).toMatchObject({ placed: 0 })
})

test('R30 without insurance, contact attaches only when nobody else is alike', async () => {
  const store = await newIdentity()
  const moved = { ...TARO, card: ['39130001', '', '88', '00'] as Person['card'] } as Person
  await place(store, A, TARO)
  expect(await place(store, B, moved)).toMatchObject({ attached: 1 })
  const other = await newIdentity()
  await place(other, A, TARO)
  await place(other, B, { ...moved, phone: '', postal: '' })
  expect(await same(other)).toBe(false)
  expect(await place(other, C, { ...TARO, card: undefined } as unknown as Person)).toMatchObject({
    reviews: 1,
  })
})

test('T38 twins: same birth date, surname and insurance are never linked automatically', async () => {
  for (const twin of [
    { given: 'ジロウ' },
    { given: 'ジロウ', card: ['06130012', '12', '345', ''] as Person['card'] },
    { card: ['06130012', '12', '345', '02'] as Person['card'] },
    { given: 'ハナコ', sex: 'female' },
  ]) {
    const store = await newIdentity()
    await place(store, A, TARO)
    expect(await place(store, B, { ...TARO, ...twin } as Person)).toMatchObject({ attached: 0, reviews: 1 })
    expect(await same(store)).toBe(false)
    // the first twin's chart at a third hospital, its branch number confused: a human decides
    expect(await place(store, C, { ...TARO, card: ['06130012', '12', '345', ''] })).toMatchObject({
      attached: 0,
    })
  }
})

test('R30 contradictions go to review and a human answer is kept', async () => {
  const store = await newIdentity()
  await place(store, A, TARO)
  expect(await place(store, B, { ...TARO, birth: '1980-05-06' })).toMatchObject({ reviews: 1 })
  const [task] = await openReviews(store.db)
  expect(task?.reasons).toContain('birth-date-differs')
  await answerReview(store, task?.id ?? '', task?.persons[0] ?? null, 'staff-1')
  expect(await same(store)).toBe(true)
  expect(await openReviews(store.db)).toEqual([])
  await expect(answerReview(store, task?.id ?? '', null, 'staff-2')).rejects.toThrow('NOT_FOUND')
})

test('R31 unlink: every link is reversible, stays apart, and history is kept', async () => {
  const store = await newIdentity()
  await place(store, A, TARO)
  await place(store, B, TARO)
  expect(await same(store)).toBe(true)
  await unlink(store, B, 'staff-1')
  expect(await same(store)).toBe(false)
  await takeIdentity(store, chart(B, { ...TARO, phone: '03-9999-1111' }))
  await linkNewRecords(store)
  expect(await same(store)).toBe(false)
  const kinds = await store.db.selectFrom('link_decision').select('kind').where('chart', '=', B).execute()
  expect(kinds.map((k) => k.kind)).toContain('unlink')
})

test('R30 a changed identity that no longer fits its person opens a review and moves nothing', async () => {
  const store = await newIdentity()
  await place(store, A, TARO)
  await place(store, B, TARO)
  await takeIdentity(store, chart(B, { ...TARO, given: 'ジロウ' }))
  expect(await linkNewRecords(store)).toMatchObject({ reviews: 1 })
  expect(await same(store)).toBe(true)
})

test('T34 deletion of a wrongly linked person leaves the other untouched and re-evaluates only what remains', async () => {
  const store = await newIdentity()
  await place(store, A, TARO)
  await place(store, B, TARO)
  await place(store, C, TARO)
  const person = await personOf(store.db, B)
  const erased = await eraseIdentity(store, [A])
  expect(erased.places.map((p) => p.place)).toContain('identity/received')
  expect(await personOf(store.db, A)).toBeNull()
  expect(await personOf(store.db, B)).toBe(person)
  expect(await personOf(store.db, C)).toBe(person)
  expect(await namedChart(store.db, A)).toBeNull()
  expect((await namedChart(store.db, B))?.kana.reveal()).toBe('ヤマダ タロウ')
  const rows = await store.db.selectFrom('link_decision').select(['chart', 'via']).execute()
  expect(JSON.stringify(rows)).not.toContain(A)
  expect(await takeIdentity(store, chart(A, TARO))).toMatchObject({ charts: 0 })
  expect(await eraseIdentity(store, [A])).toMatchObject({ places: [], reevaluated: 0 })
})

test('T37 eligibility by linkage: only charts in the identity store can be linked at all', async () => {
  const store = await newIdentity()
  await place(store, B, TARO)
  const linked: string[] = []
  for await (const link of links(store.db)) linked.push(link.patient)
  expect(linked).toEqual([B])
})

test('R30 placeholder names and sparse records are never attached automatically', async () => {
  const store = await newIdentity()
  await place(store, A, { ...TARO, given: 'ベビー' })
  expect(await place(store, B, { ...TARO, given: 'ベビー' })).toMatchObject({ attached: 0 })
  const sparse = await newIdentity()
  await place(sparse, A, TARO)
  expect(await place(sparse, B, { ...TARO, birth: '1900-01-01' })).toMatchObject({ attached: 0 })
})

test('R30 a card is the beneficiary’s, not the policy holder’s, in whatever order the resources come', async () => {
  const store = await newIdentity()
  const parent = parsePatientKey('hospital-a/parent')
  const child = parsePatientKey('hospital-a/child')
  const card = {
    resourceType: 'Coverage',
    id: 'child-card',
    beneficiary: { reference: 'Patient/p-child' },
    policyHolder: { reference: 'Patient/p-parent' },
    identifier: [{ value: '06130012:12:345:03' }],
  }
  await takeIdentity(store, [sourceRecord([parent, child], card)])
  await takeIdentity(store, chart(parent, { ...TARO, card: ['06130012', '12', '345', '01'] }))
  await takeIdentity(
    store,
    chart(child, { given: 'ハナコ', family: 'ヤマダ', birth: '2015-05-05', sex: 'female' }),
  )
  const cards = await store.db.selectFrom('identity_insurance').select(['patient', 'branch']).execute()
  expect(cards.toSorted((a, b) => (a.branch < b.branch ? -1 : 1))).toEqual([
    { patient: parent, branch: '01' },
    { patient: child, branch: '03' },
  ])
})
