import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { Clerk, hospital } from './world.fixture.ts'

const NASTY = `"><script>alert(1)</script>'`

test('XSS: markup in every field and in every name of a patient stays text', async () => {
  const { app } = await hospital({ facilityName: NASTY, operatorPhone: NASTY }, [
    { number: '00999999', kana: NASTY, kanji: NASTY, birthDate: '1980-01-01', sex: 'male' },
  ])
  const clerk = new Clerk(app)
  const pages: string[] = []
  pages.push((await clerk.signIn(NASTY, NASTY)).text, (await clerk.signIn()).text)
  pages.push((await clerk.post('/search', { q: NASTY })).text)
  const path = await clerk.open('00999999')
  pages.push((await clerk.get(path)).text, (await clerk.post(`${path}/notice`, { to: 'person' })).text)
  pages.push((await clerk.post(`${path}/notice`, { to: NASTY })).text)
  pages.push((await clerk.post(`${path}/stop`, { who: NASTY, how: NASTY, erasure: NASTY })).text)
  await clerk.post(`${path}/stop`, { who: 'guardian', how: 'card', relation: NASTY })
  const stop = clerk.path.split('/').at(-1)
  pages.push((await clerk.get(`${path}/slip/${stop}`)).text, (await clerk.get('/tasks')).text)
  pages.push((await clerk.get('/')).text, (await clerk.post(`${path}/undo`, { kind: NASTY, id: NASTY })).text)
  for (const page of pages) {
    expect(page).not.toContain('<script>alert')
    expect(page).not.toMatch(/="">/)
  }
})

test('who looked at whom is in the audit log, by keyed hash only', async () => {
  const { app, context } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  await clerk.get(path)
  const leaves = await context.store.db.selectFrom('audit_leaf').select('leaf').execute()
  const text = leaves.map((one) => new TextDecoder().decode(one.leaf)).join('\n')
  expect(text.match(/patient\.opened/g)).toHaveLength(1)
  expect(text).toContain('counter.searched')
  expect(text).not.toMatch(/123456|ヤマダ|山田/)
})

test('only small forms are read: no files, no JSON, no megabytes', async () => {
  const { app } = await hospital()
  const post = (body: string | FormData | URLSearchParams, type?: string) =>
    app.request('/sign-in', {
      method: 'POST',
      body,
      headers: { origin: 'http://localhost', ...(type ? { 'content-type': type } : {}) },
    })
  expect((await post('{}', 'application/json')).status).toBe(415)
  expect((await post(new FormData())).status).toBe(415)
  expect((await post(new URLSearchParams({ staff: 'x'.repeat(20_000) }))).status).toBe(413)
})

test('a full disk has its name: what was pressed is said not to be recorded', async () => {
  const { app, store } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  await sql`PRAGMA max_page_count = 1`.execute(store.db)
  const pages = []
  for (let i = 0; i < 40; i++) pages.push(await clerk.post(`${path}/notice`, { to: 'person' }))
  const full = pages.find((page) => page.status === 503)
  expect(full?.text).toContain('保存先の空きがありません。操作は記録されていません。')
  await sql`PRAGMA max_page_count = 1000000`.execute(store.db)
  expect((await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })).text).toContain('停止しました。')
})
