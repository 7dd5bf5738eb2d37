import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv, type Env } from '@kakehashi/protocol/env'
import { batchId, facilityOf, parsePatientKey, type PatientKey } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { newBoxKey, newSigningKey, toBase64, type BoxKey } from '@kakehashi/protocol/signing'
import { closeFresh, freshLocation } from '@kakehashi/store/location.fixture'
import { openStore } from '@kakehashi/store/store'
import { ENGINE } from '../content/engine.fixture.ts'
import { newStoreKey } from '../content/keys.ts'
import { landRecords } from '../content/landing.ts'
import { MEMORY_ROOT } from '../content/memory.ts'
import { sourceRecord } from '../content/records.fixture.ts'
import { contentMigrations, type ContentTables } from '../content/store.ts'
import { takeIdentity } from '../identity/intake.ts'
import { identityMigrations } from '../identity/store.ts'
import { linkNewRecords } from '../linkage/flow.ts'
import { linkageMigrations, type LinkingTables } from '../linkage/store.ts'
import type { ReleaseContext } from './context.ts'
import { releaseMigrations, type ReleaseTables } from './store.ts'

export interface House extends ReleaseContext {
  blockedNow: Set<PatientKey>
  user: BoxKey
  close(): Promise<void>
}

/** A vault's release side with its own stores, for tests beside the code. */
export async function newHouse(env: Env = systemEnv()): Promise<House> {
  const root = await mkdtemp(join(tmpdir(), 'kakehashi-release-'))
  const opsAt = freshLocation(ENGINE)
  const identityAt = freshLocation(ENGINE)
  const ops = await openStore<ReleaseTables & ContentTables>(
    opsAt,
    [...contentMigrations, ...releaseMigrations],
    env,
  )
  const identity = await openStore<LinkingTables>(
    identityAt,
    [...identityMigrations, ...linkageMigrations],
    env,
  )
  const blockedNow = new Set<PatientKey>()
  return {
    ops,
    identity,
    content: {
      store: ops,
      directory: join(root, 'content'),
      memory: MEMORY_ROOT,
      key: newStoreKey(env),
      env,
    },
    signing: newSigningKey(env),
    directory: join(root, 'releases'),
    blocked: async (patients) => new Set(patients.filter((p) => blockedNow.has(p))),
    hospitalWords: async () => ['架け橋中央病院', 'hospital-a.example'],
    env,
    log: silentLog,
    blockedNow,
    user: newBoxKey(env),
    close: async () => {
      await closeFresh(ops, opsAt)
      await closeFresh(identity, identityAt)
      await rm(root, { recursive: true })
    },
  }
}

export async function accept(house: House, records: readonly SourceRecord[]): Promise<void> {
  await takeIdentity(house.identity, records)
  const byFacility = Map.groupBy(records, (r) => facilityOf(r.patients[0] ?? parsePatientKey('none/0')))
  for (const [facility, own] of byFacility)
    await house.ops.bookkeep((tx) =>
      landRecords(tx, house.content, { batch: batchId(`b-${facility}`), facility }, own),
    )
  await linkNewRecords(house.identity)
}

const KANA = ['サトウ', 'スズキ', 'タカハシ', 'タナカ', 'イトウ', 'ワタナベ', 'ヤマモト', 'ナカムラ']
const GIVEN = ['ハナコ', 'タロウ', 'ジロウ', 'ヨウコ', 'ケンジ', 'ミサキ', 'ショウ', 'アオイ', 'レン', 'ユイ']

export interface Made {
  person: number
  charts: string[]
  dates: string[]
}

/** `n` people; every third has a chart at a second hospital too. Everyone has common codes, a few a rare one. */
export function makePeople(n: number): { records: SourceRecord[]; people: Made[] } {
  const records: SourceRecord[] = []
  const people: Made[] = []
  for (let i = 0; i < n; i++) {
    const charts = [`hospital-a/A${String(i).padStart(6, '0')}`]
    if (i % 3 === 0) charts.push(`hospital-b/9${String(i).padStart(7, '0')}`)
    const dates = [`2025-${String(1 + (i % 12)).padStart(2, '0')}-${String(1 + (i % 28)).padStart(2, '0')}`]
    for (const [c, chart] of charts.entries()) records.push(...chartOf(chart, i, c, dates[0] ?? ''))
    people.push({ person: i, charts, dates })
  }
  return { records, people }
}

function chartOf(chart: string, i: number, c: number, day: string): SourceRecord[] {
  const local = chart.split('/')[1] ?? ''
  const patient = {
    resourceType: 'Patient',
    id: `pat-${local}`,
    meta: { lastUpdated: `${day}T01:02:03Z`, source: 'http://hospital-a.example/emr' },
    identifier: [{ system: 'http://hospital-a.example/mrn', value: local }],
    name: [
      {
        text: `${KANA[i % 8]} ${GIVEN[Math.floor(i / 8) % 10]}`,
        family: KANA[i % 8],
        given: [GIVEN[Math.floor(i / 8) % 10]],
      },
    ],
    gender: i % 2 === 0 ? 'female' : 'male',
    birthDate: `${1935 + ((i * 7) % 80)}-0${1 + (i % 9)}-1${i % 9}`,
    address: [{ state: ['13', '14', '東京都', '11'][i % 4], text: `東京都千代田区秘密町${i}番地` }],
    telecom: [{ system: 'phone', value: `03-5555-${String(1000 + i)}` }],
  }
  const coverage = {
    resourceType: 'Coverage',
    id: `cov-${local}`,
    identifier: [{ value: `06130012:77:${5000 + i}:01` }],
  }
  const icd = 'http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full'
  const codes = [i % 2 === 0 ? 'I10' : 'E11.9', 'J00']
  if (i === 1) codes.push('Q87.4')
  const conditions = codes.map((code, n) => ({
    resourceType: 'Condition',
    id: `cond-${local}-${n}`,
    code: { coding: [{ system: icd, code, display: '架け橋中央病院の病名' }], text: '息子の太郎が市長' },
    onsetDateTime: `${day}T09:00:00+09:00`,
    recordedDate: day,
    note: [{ text: `${day.replaceAll('-', '')} 令和7年3月11日 受診。架け橋中央病院` }],
    subject: { reference: `Patient/pat-${local}` },
  }))
  const value = i === 2 ? 9999 : 90 + (i % 20)
  const lab = {
    resourceType: 'Observation',
    id: `obs-${local}`,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
    effectiveDateTime: `${day}T10:00:00+09:00`,
    valueQuantity: { value: value + c, code: 'mg/dL', unit: 'mg/dL' },
    performer: [{ display: '山田医師' }],
  }
  return [patient, coverage, ...conditions, lab].map((resource) => sourceRecord(chart, resource))
}

export function application(house: House) {
  return {
    title: '地域別の連結コホート研究',
    purpose: '生活習慣病の経過を地域ごとに調べる',
    recipient: { name: '試験大学', key: toBase64(house.user.public) },
    asOf: '2026-04-01',
    cohort: { diagnoses: null, window: null },
  }
}
