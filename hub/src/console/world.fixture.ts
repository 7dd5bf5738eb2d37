import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv, type Env } from '@kakehashi/protocol/env'
import { silentLog } from '@kakehashi/protocol/log'
import { newBoxKey, newSigningKey, toBase64 } from '@kakehashi/protocol/signing'
import { createAccount } from '../accounts/flow.ts'
import { enrolSecondFactor } from '../accounts/second-factor.ts'
import { codeAt, STEP_MS, stepAt } from '../accounts/totp.ts'
import type { Treated } from '../anonymization/disclosure.ts'
import type { Attack } from '../anonymization/intruder.ts'
import { linkedCohort } from '../anonymization/linked-cohort.ts'
import { profileHash } from '../anonymization/profile.ts'
import { riskReport } from '../anonymization/report.ts'
import { assignReviewers, draftRelease, submitRelease } from '../release/flow.ts'
import type { Role } from '../accounts/rules.ts'
import { stopListOf } from '../requests/stop-list.ts'
import type { VaultKeys } from '../vault/parts.ts'
import { openOpsStore } from '../vault/ops.ts'
import { openIdentityStore } from '../vault/opening.ts'
import { consoleApp } from './app.ts'
import type { ConsoleParts } from './parts.ts'
import { accountStore, releaseStore } from './stores.ts'

export const PASSPHRASE = 'correct horse battery'
/** The staff's phones, by the console they sign in to. */
const PHONES = new WeakMap<object, (account: string) => string>()

const DAY = 24 * 3_600_000

/** One application that waits for its two reviewers. */
async function applied(parts: ConsoleParts, title: string): Promise<string> {
  const store = releaseStore(parts)
  const application = {
    title,
    purpose: '2型糖尿病の治療と腎機能の経過',
    recipient: { name: '東都大学 公衆衛生学', key: toBase64(newBoxKey(parts.env).public) },
    asOf: '2026-11-01',
    cohort: {
      diagnoses: { system: 'http://hl7.org/fhir/sid/icd-10', prefixes: ['E11'] },
      window: { from: '2020-01-01', to: '2026-10-31' },
    },
  }
  const { release } = await draftRelease(store, 'author', application, linkedCohort())
  await submitRelease(store, release, 'author')
  await assignReviewers(store, release, 'office', ['one', 'two'])
  return release
}

/** As a build leaves it: its directory with the risk report, and its row; the numbers are a report's own. */
export async function built(parts: ConsoleParts, release: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'kakehashi-console-'))
  const profile = linkedCohort()
  const treated: Treated = {
    generalised: {
      levels: [0, 1, 1],
      persons: 412,
      suppressed: 9,
      smallestClass: 11,
      classes: 21,
      loss: 0.4,
      checked: 12,
    },
    events: [
      {
        view: 'diagnosis',
        rows: 3120,
        codesGeneralised: 14,
        codesDropped: 3,
        rowsDropped: 7,
        valuesClipped: 0,
        groupsWithoutTail: 0,
      },
    ],
    diversity: { smallest: 1, classesBelow: 1 },
  }
  const attacks: Attack[] = [
    { known: 1, targets: 400, unique: 3, low: 0.0026, high: 0.0218 },
    { known: 2, targets: 400, unique: 61, low: 0.1208, high: 0.1909 },
  ]
  const checks = [
    { check: '番号は22文字', ok: true, found: 0 },
    { check: '日付は期間内', ok: true, found: 0 },
  ]
  const written = { checks, smallestClass: 11, persons: 403 }
  const report = riskReport(profile, profileHash(profile), { treated, attacks, strictness: 1 }, written)
  writeFileSync(join(directory, 'risk.json'), JSON.stringify(report))
  await parts.ops.bookkeep(async (tx) => {
    const made = {
      id: 'b-1',
      release,
      directory,
      package_digest: 'c'.repeat(64),
      persons: 403,
      made_at: parts.env.now(),
    }
    await tx
      .insertInto('release_build')
      .values({ ...made, fingerprint: parts.env.random(32), dropped_at: null })
      .execute()
    await tx
      .updateTable('release')
      .set({ state: 'BUILT', build: made.id, package_digest: made.package_digest })
      .where('id', '=', release)
      .execute()
  })
}

/** A console with four members of staff, two agents and an erasure. */
export async function operatorRoom(options: { title?: string } = {}) {
  const clock = { now: Date.parse('2026-11-25T09:12:00+09:00') }
  const env: Env = { ...systemEnv(), now: () => clock.now }
  const ops = await openOpsStore(':memory:', env)
  const identity = await openIdentityStore(':memory:', env)
  const parts = {
    env,
    log: silentLog,
    https: false,
    operatorName: '一般財団法人 架け橋',
    ops,
    identity,
    stopLateMs: DAY,
    vault: { env, ops, keys: keysFor(env), stops: stopListOf([]) },
  }
  const staff: [string, string, Role[]][] = [
    ['author', '青木', ['author', 'reviewer']],
    ['one', '石田', ['reviewer']],
    ['two', '上野', ['reviewer']],
    ['privacy', '江口', ['privacy']],
    ['desk', '尾形', ['desk']],
    ['auditor', '加藤', ['auditor']],
  ]
  const secrets = new Map<string, string>()
  for (const [account, name, roles] of staff) {
    const asked = { account, name, roles, passphrase: PASSPHRASE, by: 'init' }
    await createAccount(accountStore(parts), asked, { N: 1024, r: 8, p: 1 })
    secrets.set(account, (await enrolSecondFactor(accountStore(parts), { account, by: 'init' })).secret)
  }
  const shown = new Map<string, number>()
  /** What the account's phone shows now; the clock goes on to a code that was not used yet. */
  const codeOf = (account: string): string => {
    if (shown.get(account) === stepAt(clock.now)) clock.now += STEP_MS
    shown.set(account, stepAt(clock.now))
    const secret = secrets.get(account)
    return secret === undefined ? '000000' : codeAt(secret, stepAt(clock.now))
  }
  await plant(parts, clock.now)
  const release = await applied(parts, options.title ?? '糖尿病コホート 2026年度')
  const app = consoleApp(parts)
  PHONES.set(app, codeOf)
  return { app, clock, parts, ops, release, codeOf }
}

function keysFor(env: Env): VaultKeys {
  return {
    box: newBoxKey(env),
    formerBoxes: [],
    signing: newSigningKey(env),
    audit: newSigningKey(env),
    tombstone: env.random(32),
  }
}

const INBOX = newBoxKey(systemEnv())

function agentRow(id: string, lastHeardAt: number | null, now: number) {
  return {
    agent: id,
    facility: `${id}-hospital`,
    inbox_key: toBase64(INBOX.public),
    inbox_key_id: INBOX.id,
    enrolled_at: now - 40 * DAY,
    retired_at: null,
    last_heard_at: lastHeardAt,
    pending_batches: 0,
    checkpoint: null,
    software: '0.1.0',
  }
}

async function plant(parts: Pick<ConsoleParts, 'ops' | 'identity'>, now: number): Promise<void> {
  await parts.ops.bookkeep(async (tx) => {
    await tx
      .insertInto('agent')
      .values([agentRow('midori', now - 60_000, now), agentRow('aoba', now - 2 * DAY, now)])
      .execute()
    const erasure = { asked_by: 'midori', stop: null, patients: '[]' }
    await tx
      .insertInto('erasure')
      .values([
        { ...erasure, erasure: 'e-1', state: 'asked', asked_at: now, done_at: null, certificate: null },
        {
          ...erasure,
          erasure: 'e-0',
          state: 'done',
          asked_at: now - DAY,
          done_at: now - DAY + 60_000,
          certificate: JSON.stringify({
            core: {
              version: 1,
              erasure: 'e-0',
              operator: 'op',
              charts: ['b'.repeat(64)],
              askedAt: now - DAY,
              doneAt: now - DAY + 60_000,
              places: [
                { place: 'identity', count: 3 },
                { place: 'content', count: 120 },
              ],
              keysDestroyed: ['k-1', 'k-2'],
            },
          }),
        },
      ])
      .execute()
  })
  await parts.identity.bookkeep((tx) =>
    tx
      .insertInto('link_review')
      .values({
        id: 'l-1',
        chart: 'midori/00123456',
        persons: JSON.stringify(['p-1', 'p-2']),
        reasons: JSON.stringify(['kana-agrees', 'kanji-differs', 'insurance-missing']),
        opened_at: now,
        closed_at: null,
        outcome: null,
        actor: null,
      })
      .execute(),
  )
}

type App = Awaited<ReturnType<typeof operatorRoom>>['app']

/** One member of staff's browser, without a browser. */
export class Visitor {
  readonly #app: App
  cookie = ''
  csrf = ''
  constructor(app: App) {
    this.#app = app
  }

  code(account: string): string {
    return PHONES.get(this.#app)?.(account) ?? ''
  }

  async get(path: string): Promise<{ status: number; text: string; headers: Headers }> {
    return this.#read(await this.#app.request(path, { headers: { cookie: this.cookie } }))
  }

  async post(path: string, form: Record<string, string | string[]>, headers: Record<string, string> = {}) {
    const response = await this.#app.request(path, {
      method: 'POST',
      body: new URLSearchParams(
        Object.entries({ csrf: this.csrf, ...form }).flatMap(([name, value]) =>
          [value].flat().map((one): [string, string] => [name, one]),
        ),
      ),
      headers: { cookie: this.cookie, origin: 'http://localhost', ...headers },
    })
    return this.#read(response)
  }

  signIn(account: string, passphrase = PASSPHRASE) {
    return this.post('/sign-in', {
      account,
      passphrase,
      code: passphrase === PASSPHRASE ? this.code(account) : '000000',
    })
  }

  async #read(response: Response): Promise<{ status: number; text: string; headers: Headers }> {
    const cookie = response.headers.get('set-cookie')
    if (cookie) this.cookie = cookie.split(';')[0] ?? ''
    const to = response.headers.get('location')
    if (response.status === 303 && to) return this.get(to)
    const text = await response.text()
    this.csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? this.csrf
    return { status: response.status, text, headers: response.headers }
  }
}
