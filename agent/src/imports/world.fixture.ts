import type { Instant } from '@kakehashi/protocol/env'
import { entityId, filingId, patientKey } from '@kakehashi/protocol/ids'
import { PURPOSES, STOP_STATEMENT, type NoticeContent } from '@kakehashi/protocol/notice-content'
import { silentLog } from '@kakehashi/protocol/log'
import { enrolledContext, FACILITY, OPERATOR, virtualEnv } from '../context.fixture.ts'
import type { AgentContext } from '../context.ts'
import { takePatient } from '../patients/flow.ts'
import { acceptFiling, notePatientSeen, publishNotice, recordEntity, setFacility } from '../register/flow.ts'
import { registerOf } from '../register/register.ts'
import type { Location } from '@kakehashi/store/store'
import { openAgentStore } from '../store/store.ts'

export const CONTENT: NoticeContent = {
  track: 'ANON',
  handler: {
    name: '医療法人 みどり会',
    address: '愛知県名古屋市中区1-2-3',
    representative: '理事長 緑川 誠',
  },
  facility: { name: 'みどり病院', address: '愛知県名古屋市中区1-2-3', phone: '052-000-0000' },
  purpose: PURPOSES.ANON,
  dataItems: [
    { item: 'identity', words: '氏名、性別、生年月日、住所、被保険者番号' },
    { item: 'diagnosis', words: '病名' },
    { item: 'laboratory', words: '検査の結果' },
    { item: 'medication', words: '処方、注射' },
    { item: 'procedure', words: '手術、処置' },
  ],
  acquisitionMethod: '当院での診療のときに取得したもの、およびこれからの診療で取得するもの',
  provisionMethod: '暗号化し、保護された回線で送ります',
  stopStatement: STOP_STATEMENT,
  stopChannels: [
    { kind: 'window', at: 'みどり病院 1階 総合受付', hours: '平日 8:30〜17:00' },
    { kind: 'phone', at: '0120-000-000', hours: '平日 9:00〜17:00' },
    { kind: 'web', at: 'stop.kakehashi.example' },
    { kind: 'post', at: '〒100-0000 東京都千代田区1-1 架け橋 停止受付係' },
  ],
  updateMethod: '診療のつど、新しい情報を追加して提供します',
  plannedStart: '2026-12-01',
  operators: [
    {
      operator: OPERATOR,
      name: '一般財団法人 架け橋',
      address: '東京都千代田区1-1',
      phone: '0120-000-000',
    },
  ],
  saysOneMonth: false,
  remarks: '',
}

/** Wednesday, a quarter past nine. */
export const MORNING: Instant = Date.parse('2026-11-25T09:15:00+09:00')

export interface SomeChart {
  number: string
  kanji?: string
  kana?: string
  birthDate: string | null
  deceasedOn?: string
}

export const CHARTS: readonly SomeChart[] = [
  { number: '00001001', kanji: '山田 花子', kana: 'ヤマダ ハナコ', birthDate: '1948-05-03' },
  { number: '00001002', kanji: '鈴木 一郎', kana: 'スズキ イチロウ', birthDate: '1971-11-20' },
  { number: '00001003', kanji: '山田 健太', kana: 'ヤマダ ケンタ', birthDate: '2016-04-02' },
  {
    number: '00001004',
    kanji: '佐々木 太郎',
    kana: 'ササキ タロウ',
    birthDate: '1940-02-29',
    deceasedOn: '2026-10-01',
  },
  { number: '00001005', kanji: 'NGUYEN VAN AN', kana: 'グエン ヴァン アン', birthDate: null },
]

export function keyOf(number: string) {
  return patientKey(FACILITY, number)
}

/** A register with a published notice, an accepted filing and a few patients; no pages, no hub. */
export async function registerOfMidori(options: { charts?: readonly SomeChart[]; at?: Location } = {}) {
  const clock = { now: Date.parse('2026-10-01T08:00:00+09:00') }
  const env = virtualEnv(clock)
  const store = await openAgentStore(options.at ?? ':memory:', env)
  const { context, vault } = enrolledContext(env, store, silentLog)
  await openScheme(context)
  await store.bookkeep(async (tx) => {
    for (const one of options.charts ?? CHARTS) {
      const resource = {
        resourceType: 'Patient',
        identifier: [{ system: 'urn:oid:1.2.392.100495.20.3.51.1', value: one.number }],
        name: [named('IDE', one.kanji ?? `患者 ${one.number}`), named('SYL', one.kana ?? 'カンジャ')],
        gender: 'female',
        birthDate: one.birthDate ?? undefined,
        deceasedDateTime: one.deceasedOn,
      }
      const shown = { patient: keyOf(one.number), resource, source: 'emr' }
      await takePatient(tx, shown, clock.now, (tx, seen) => notePatientSeen(tx, context, seen))
    }
  })
  clock.now = MORNING
  await certify(context)
  const register = registerOf(context, () => {})
  return { clock, env, store, context, register, vault }
}

function named(representation: string, text: string) {
  const url = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'
  return { extension: [{ url, valueCode: representation }], text }
}

async function openScheme(context: AgentContext): Promise<void> {
  const by = 'admin'
  const entity = {
    entity: entityId('ent-1'),
    name: '医療法人 みどり会',
    address: '愛知県名古屋市中区1-2-3',
    representative: '理事長 緑川 誠',
  }
  await recordEntity(context, { by, entity })
  await setFacility(context, { by, waitDays: 30, deathPolicy: 'hold', closedDays: [], endedOn: null })
  await publishNotice(context, { content: CONTENT, by })
  const filing = {
    filing: filingId('f-1'),
    track: 'ANON',
    templateVersion: 1,
    acceptedOn: '2026-10-01',
    endedOn: null,
  } as const
  await acceptFiling(context, { by, filing })
}

/** The operator's certification, as of now. */
export async function certify(context: AgentContext): Promise<void> {
  const row = {
    name: context.hub.operatorName,
    address: context.hub.operatorAddress,
    tracks: JSON.stringify(['ANON']),
    standing: 'certified',
    as_of: context.env.now(),
  }
  await context.store.bookkeep((tx) =>
    tx
      .insertInto('operator_status')
      .values({ operator: OPERATOR, ...row })
      .onConflict((c) => c.column('operator').doUpdateSet(row))
      .execute(),
  )
}
