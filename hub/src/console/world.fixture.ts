import { systemEnv, type Env } from '@kakehashi/protocol/env'
import { silentLog } from '@kakehashi/protocol/log'
import { Refused } from '@kakehashi/protocol/refusals'
import { createAccount } from '../accounts/flow.ts'
import type { Role } from '../accounts/rules.ts'
import { openOpsStore } from '../vault/ops.ts'
import { openIdentityStore } from '../vault/opening.ts'
import { consoleApp } from './app.ts'
import type { ConsoleParts, ReleaseDesk, ReleaseFile, ReleaseVote } from './parts.ts'
import { accountStore } from './sign-in.ts'

export const PASSPHRASE = 'correct horse battery'
const DAY = 24 * 3_600_000

/** A release on paper, for pages; the rules themselves are the release slice's and tested there. */
function paperDesk(env: Env, title: string): ReleaseDesk {
  const votes: { by: string; at: number; answer: 'approve' | 'return' | 'reject'; comment: string }[] = []
  const fileFor = (viewer: string, roles: readonly Role[]): ReleaseFile => {
    const both = votes.length >= 2
    const shown: ReleaseVote[] = votes.map((one) => ({
      by: one.by,
      at: one.at,
      answer: both || one.by === viewer ? one.answer : null,
      comment: both || one.by === viewer ? one.comment : null,
    }))
    const voted = votes.some((one) => one.by === viewer)
    const mayNot =
      viewer === 'author'
        ? 'author'
        : !roles.includes('reviewer')
          ? 'role'
          : voted
            ? 'voted'
            : both
              ? 'state'
              : null
    return {
      release: 'r-1',
      title,
      author: 'author',
      state: both ? 'agreed' : 'review',
      at: env.now(),
      purpose: '2型糖尿病の治療と腎機能の経過',
      user: '東都大学 公衆衛生学',
      digest: 'a'.repeat(64),
      report: {
        sentence: '最小の同値クラスは 11 行。基準 10 を満たします。',
        measures: [
          { name: 'k-匿名性', value: '11', threshold: '10 以上', passes: true, how: '準識別子4項目で集計' },
          {
            name: '希少な病名',
            value: '2 件',
            threshold: '0 件',
            passes: false,
            how: '10人未満の病名コード',
          },
        ],
      },
      votes: shown,
      mayNot,
    }
  }
  return {
    list: async () => [fileFor('', [])],
    read: async (release, viewer) => (release === 'r-1' ? fileFor(viewer.account, viewer.roles) : null),
    vote: async ({ by, answer, comment, digest }) => {
      if (fileFor(by.account, by.roles).mayNot !== null || digest !== 'a'.repeat(64))
        throw new Refused('NOT_ALLOWED', 'vote')
      votes.push({ by: by.account, at: env.now(), answer, comment })
    },
  }
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
    releases: paperDesk(env, options.title ?? '糖尿病コホート 2026年度'),
  }
  const staff: [string, string, Role[]][] = [
    ['author', '青木', ['author', 'reviewer']],
    ['one', '石田', ['reviewer']],
    ['two', '上野', ['reviewer']],
    ['privacy', '江口', ['privacy']],
  ]
  for (const [account, name, roles] of staff)
    await createAccount(
      accountStore(parts),
      { account, name, roles, passphrase: PASSPHRASE, by: 'init' },
      { N: 1024, r: 8, p: 1 },
    )
  await plant(parts, clock.now)
  return { app: consoleApp(parts), clock, parts, ops }
}

function agentRow(id: string, lastHeardAt: number | null, now: number) {
  return {
    agent: id,
    facility: `${id}-hospital`,
    inbox_key: '',
    inbox_key_id: id,
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

  async get(path: string): Promise<{ status: number; text: string; headers: Headers }> {
    return this.#read(await this.#app.request(path, { headers: { cookie: this.cookie } }))
  }

  async post(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    const response = await this.#app.request(path, {
      method: 'POST',
      body: new URLSearchParams({ csrf: this.csrf, ...form }),
      headers: { cookie: this.cookie, origin: 'http://localhost', ...headers },
    })
    return this.#read(response)
  }

  signIn(account: string, passphrase = PASSPHRASE) {
    return this.post('/sign-in', { account, passphrase })
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
