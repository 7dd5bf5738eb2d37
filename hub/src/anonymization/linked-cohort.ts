import { readProfile, type Profile } from './profile.ts'

const ICD10 = 'http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full'
const LOINC = 'http://loinc.org'
const JLAC10 = 'urn:oid:1.2.392.200119.4.504'
const HOT7 = 'http://medis.or.jp/CodeSystem/master-HOT7'
const YJ = 'http://capstandard.jp/iyaku.info/CodeSystem/YJ-code'
const PERSON = {
  name: 'person',
  path: 'subject.getReferenceKey(Patient)',
  description: '提供ごとに新しい仮の番号',
}

const UNITS =
  '/min mm[Hg] % U/L Cel L/min mg/dL mmol/L mL /uL g/dL mg/L ng/mL [pH] pg/mL m[IU]/L 10*3/uL ug/mL s kg cm kg/m2'.split(
    ' ',
  )

/** 地域別の連結コホート: diagnoses, drugs and measurements of persons linked across hospitals, by region. */
const LINKED_COHORT = {
  apiVersion: 'kakehashi/anonymization-1',
  name: 'linked_cohort',
  version: 1,
  title: '地域別の連結コホート（匿名加工）',
  track: 'ANON',
  resources: {
    Patient: {
      rules: {
        gender: { op: 'keep-code', values: ['male', 'female', 'other', 'unknown'], criteria: [5] },
        birthDate: { op: 'age-band', width: 5, top: 90, criteria: [1, 4, 5] },
        'address.state': { op: 'region', criteria: [1, 5] },
        name: { op: 'drop', criteria: [1] },
        telecom: { op: 'drop', criteria: [1] },
        identifier: { op: 'drop', criteria: [2, 3] },
      },
    },
    Condition: {
      refuse: { 'verificationStatus.coding': ['entered-in-error', 'refuted'] },
      rules: {
        'code.coding': {
          op: 'keep-code',
          systems: { [ICD10]: String.raw`[A-Z][0-9]{2}(\.?[0-9]{1,2})?` },
          criteria: [4],
        },
        onsetDateTime: { op: 'shift-date', criteria: [3] },
      },
    },
    MedicationRequest: {
      require: { status: ['active', 'completed', 'on-hold', 'stopped'] },
      rules: {
        'medicationCodeableConcept.coding': {
          op: 'keep-code',
          systems: { [HOT7]: '[0-9]{7}', [YJ]: '[0-9]{7}[A-Z][0-9]{4}' },
          criteria: [4],
        },
        authoredOn: { op: 'shift-date', criteria: [3] },
      },
    },
    Observation: {
      require: { status: ['final', 'amended', 'corrected'] },
      rules: {
        'code.coding': {
          op: 'keep-code',
          systems: { [LOINC]: '[0-9]{1,5}-[0-9]', [JLAC10]: '[0-9A-Z]{5,17}' },
          criteria: [4],
        },
        valueQuantity: { op: 'keep-number', units: UNITS, min: -1e6, max: 1e6, criteria: [4] },
        effectiveDateTime: { op: 'shift-date', criteria: [3] },
      },
    },
  },
  dates: { rangeDays: 180, multipleOf: 1, edgeMarginDays: 180 },
  privacy: {
    k: 10,
    suppressionLimit: 0.1,
    rareCodeMin: 10,
    tailMin: 10,
    diversityMin: 2,
    regionMin: 50,
    singledOutMax: 0.05,
  },
  persons: {
    view: 'person',
    quasi: [
      { column: 'sex', hierarchy: 'sex' },
      { column: 'age_band', hierarchy: 'age' },
      { column: 'region', hierarchy: 'region' },
    ],
  },
  events: [
    {
      view: 'condition',
      system: 'system',
      code: 'code',
      hierarchy: 'icd10',
      number: null,
      unit: null,
      date: 'onset',
    },
    {
      view: 'medication',
      system: 'system',
      code: 'code',
      hierarchy: 'none',
      number: null,
      unit: null,
      date: 'authored',
    },
    {
      view: 'observation',
      system: 'system',
      code: 'code',
      hierarchy: 'none',
      number: 'value',
      unit: 'unit',
      date: 'measured',
    },
  ],
  views: [
    {
      name: 'person',
      title: '患者',
      resource: 'Patient',
      select: [
        {
          column: [
            { name: 'person', path: 'getResourceKey()', description: '提供ごとに新しい仮の番号' },
            { name: 'sex', path: 'gender', type: 'code', description: '性別' },
            { name: 'age_band', path: 'birthDate', description: '基準日での年齢の階級（90歳以上は一つ）' },
            { name: 'region', path: 'address.state.first()', description: '都道府県または地方' },
          ],
        },
      ],
    },
    {
      name: 'condition',
      title: '傷病名',
      resource: 'Condition',
      select: [
        {
          column: [
            PERSON,
            {
              name: 'onset',
              path: 'onset.ofType(dateTime)',
              type: 'date',
              description: '発症日（ずらした日付）',
            },
          ],
        },
        {
          forEach: 'code.coding.first()',
          column: [
            { name: 'system', path: 'system', type: 'code', description: 'コード体系' },
            { name: 'code', path: 'code', type: 'code', description: '傷病コード（まれなものは3桁）' },
          ],
        },
      ],
    },
    {
      name: 'medication',
      title: '処方',
      resource: 'MedicationRequest',
      select: [
        {
          column: [
            PERSON,
            { name: 'authored', path: 'authoredOn', type: 'date', description: '処方日（ずらした日付）' },
          ],
        },
        {
          forEach: 'medicationCodeableConcept.coding.first()',
          column: [
            { name: 'system', path: 'system', type: 'code', description: 'コード体系' },
            { name: 'code', path: 'code', type: 'code', description: '医薬品コード' },
          ],
        },
      ],
    },
    {
      name: 'observation',
      title: '検査・測定',
      resource: 'Observation',
      where: [{ path: 'valueQuantity.exists()' }],
      select: [
        {
          column: [
            PERSON,
            {
              name: 'measured',
              path: 'effective.ofType(dateTime)',
              type: 'date',
              description: '測定日（ずらした日付）',
            },
            { name: 'value', path: 'valueQuantity.value', type: 'decimal', description: '値（両端は丸め）' },
            { name: 'unit', path: 'valueQuantity.code', type: 'code', description: '単位（UCUM）' },
          ],
        },
        {
          forEach: 'code.coding.first()',
          column: [
            { name: 'system', path: 'system', type: 'code', description: 'コード体系' },
            { name: 'code', path: 'code', type: 'code', description: '検査コード' },
          ],
        },
      ],
    },
  ],
}

/** The profile, with a smaller `k` only where a reason is written down (a demonstration of few people). */
export function linkedCohort(privacy: Partial<Profile['privacy']> = {}): Profile {
  return readProfile({ ...LINKED_COHORT, privacy: { ...LINKED_COHORT.privacy, ...privacy } })
}
