import { entityId, filingId, patientKey } from '@kakehashi/protocol/ids'
import { noticeText } from '@kakehashi/protocol/notice-text'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { enrolledContext, FACILITY, OPERATOR, virtualEnv, type Clock } from '../context.fixture.ts'
import type { AgentContext } from '../context.ts'
import { acceptFiling, notePatientSeen, publishNotice, recordEntity, setFacility } from '../register/flow.ts'
import { takePatient } from '../patients/flow.ts'
import { patientFinder } from '../patients/search.ts'
import { registerOf } from '../register/register.ts'
import { sampleNotice } from '../register/sample-notice.ts'
import { openAgentStore, type AgentStore, type AgentTx } from '../store/store.ts'
import { counterApp } from './app.ts'
import type { CounterSettings } from './parts.ts'
import { choosePin, keepStaff, type StaffHouse } from '../staff/flow.ts'
import { staffDirectory } from './staff.ts'

export const NOTICE = sampleNotice({
  track: 'ANON',
  handler: {
    name: '医療法人 みどり会',
    address: '愛知県名古屋市中区1-2-3',
    representative: '理事長 緑川 誠',
  },
  facility: { name: 'みどり病院', address: '愛知県名古屋市中区1-2-3', phone: '052-000-0000' },
  operators: [
    {
      operator: OPERATOR,
      name: '一般財団法人 架け橋',
      address: '東京都千代田区1-1',
      phone: '0120-000-000',
    },
  ],
  items: ['identity', 'diagnosis', 'laboratory', 'medication', 'procedure'],
  plannedStart: '2026-12-01',
})
export const NOTICE_TEXT = noticeText(NOTICE)

export const PIN = '493158'
export const BADGE = 'MIDORI-0001-7Q2X'
export const STAFF = [
  { id: 's-01', name: '佐藤', role: 'desk', pin: PIN, badge: BADGE },
  { id: 's-02', name: '高橋', role: 'privacy', pin: PIN, badge: 'MIDORI-0002-9K3Z' },
  { id: 's-03', name: '西村', role: 'it', pin: PIN },
  { id: 's-04', name: '中村', role: 'desk', pin: PIN, badge: 'MIDORI-0004-1M8C' },
] as const

export interface Somebody {
  number: string
  kana: string
  kanji: string
  birthDate: string | null
  sex: 'male' | 'female' | 'other' | 'unknown'
  deceasedOn?: string
}

export const PEOPLE: readonly Somebody[] = [
  { number: '00123456', kana: 'ヤマダ ハナコ', kanji: '山田 花子', birthDate: '1948-05-03', sex: 'female' },
  { number: '00123457', kana: 'スズキ イチロウ', kanji: '鈴木 一郎', birthDate: '1971-11-20', sex: 'male' },
  { number: '00123458', kana: 'ヤマダ ケンタ', kanji: '山田 健太', birthDate: '2016-04-02', sex: 'male' },
  {
    number: '00123459',
    kana: 'ヤマダ タロウ',
    kanji: '山田 太郎',
    birthDate: '1940-02-29',
    sex: 'male',
    deceasedOn: '2026-10-01',
  },
  { number: '00123460', kana: 'グエン ヴァン アン', kanji: 'NGUYEN VAN AN', birthDate: null, sex: 'unknown' },
]

function resourceOf(one: Somebody): unknown {
  const name = (representation: string, text: string) => ({
    extension: [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation',
        valueCode: representation,
      },
    ],
    text,
  })
  return {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:1.2.392.100495.20.3.51.11234567890', value: one.number }],
    name: [name('IDE', one.kanji), name('SYL', one.kana)],
    gender: one.sex,
    birthDate: one.birthDate ?? undefined,
    deceasedDateTime: one.deceasedOn,
  }
}

/** A hospital with a filed notice, its register in memory, and a counter in front of it. */
export async function hospital(
  settings: Partial<CounterSettings> = {},
  extra: readonly Somebody[] = [],
  file = ':memory:',
) {
  const clock: Clock = { now: Date.parse('2026-11-25T09:12:00+09:00') }
  const env = virtualEnv(clock)
  const log: unknown[] = []
  const store = await openAgentStore(file, env)
  const { context } = enrolledContext(env, store, (event, detail) => void log.push([event, detail]))
  await openScheme(context)
  await store.bookkeep(async (tx) => {
    for (const one of [...PEOPLE, ...extra]) await takeOne(tx, context, one)
  })
  const house: StaffHouse = { store, env, keys: context.keys, cost: { N: 1024, r: 8, p: 1 } }
  for (const one of STAFF) await keepStaff(house, { ...one, by: 'admin' })
  const state = { online: true, told: 0, log }
  const app = counterApp({
    context,
    register: registerOf(context, () => (state.told += 1)),
    settings: {
      facilityName: 'みどり病院',
      https: false,
      portalAddress: 'https://stop.kakehashi.example',
      operatorPhone: '0120-000-000',
      noticeText: (hash) => (hash === sha256Hex(NOTICE_TEXT) ? NOTICE_TEXT : null),
      ...settings,
    },
    people: patientFinder(store.db),
    staff: {
      ...staffDirectory(context),
      choosePin: (id, pin) => choosePin(house, { id, pin }),
    },
    online: () => state.online,
  })
  return { app, clock, context, store, state, house }
}

async function takeOne(tx: AgentTx, context: AgentContext, one: Somebody): Promise<void> {
  const shown = { patient: patientKey(FACILITY, one.number), resource: resourceOf(one), source: 'emr' }
  await takePatient(tx, shown, context.env.now(), (tx, seen) => notePatientSeen(tx, context, seen))
}

/** The source shows people it had not shown before. */
export async function showPatient(
  store: AgentStore,
  context: AgentContext,
  ...people: readonly Somebody[]
): Promise<void> {
  await store.bookkeep(async (tx) => {
    for (const one of people) await takeOne(tx, context, one)
  })
}

async function openScheme(context: AgentContext): Promise<void> {
  const by = 'admin'
  await recordEntity(context, {
    by,
    entity: {
      entity: entityId('ent-1'),
      name: '医療法人 みどり会',
      address: '愛知県名古屋市中区1-2-3',
      representative: '理事長 緑川 誠',
    },
  })
  await setFacility(context, { by, waitDays: 30, deathPolicy: 'hold', closedDays: [], endedOn: null })
  await publishNotice(context, { by, content: NOTICE })
  await acceptFiling(context, {
    by,
    filing: {
      filing: filingId('f-1'),
      track: 'ANON',
      templateVersion: 1,
      acceptedOn: '2026-10-01',
      endedOn: null,
    },
  })
  await context.store.bookkeep((tx) =>
    tx
      .insertInto('operator_status')
      .values({
        operator: OPERATOR,
        name: context.hub.operatorName,
        address: context.hub.operatorAddress,
        tracks: JSON.stringify(['ANON']),
        standing: 'certified',
        as_of: context.env.now(),
      })
      .execute(),
  )
}

type App = Awaited<ReturnType<typeof hospital>>['app']

/** A browser's part in the talk, without a browser: keeps the cookie, sends the origin, follows redirects. */
export class Clerk {
  readonly #app: App
  cookie = ''
  csrf = ''
  path = ''
  constructor(app: App) {
    this.#app = app
  }

  async get(path: string): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await this.#app.request(path, { headers: { cookie: this.cookie } })
    return this.#read(path, response)
  }

  async post(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const response = await this.#app.request(path, {
      method: 'POST',
      body: new URLSearchParams({ csrf: this.csrf, ...form }),
      headers: { cookie: this.cookie, origin: 'http://localhost', ...headers },
    })
    return this.#read(path, response)
  }

  async signIn(staff = 's-01', pin = PIN) {
    return this.post('/sign-in', { staff, pin })
  }

  /** Searches and leaves the patient's page open; returns its path. */
  async open(number: string): Promise<string> {
    await this.post('/search', { q: number })
    return this.path
  }

  async #read(path: string, response: Response): Promise<{ status: number; text: string; headers: Headers }> {
    const cookie = response.headers.get('set-cookie')
    if (cookie) this.cookie = cookie.split(';')[0] ?? ''
    const to = response.headers.get('location')
    if (response.status === 303 && to) return this.get(to)
    this.path = path
    const text = await response.text()
    this.csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? this.csrf
    return { status: response.status, text, headers: response.headers }
  }
}
