import { expect, test } from 'vitest'
import { disableAccount } from '../accounts/flow.ts'
import { ROLES } from '../accounts/rules.ts'
import { mayEnter, ROOMS, type Room } from './rules.ts'
import { accountStore } from './stores.ts'
import { built, operatorRoom, PASSPHRASE, Visitor } from './world.fixture.ts'

async function inside(account: string) {
  const place = await operatorRoom()
  const visitor = new Visitor(place.app)
  const home = await visitor.signIn(account)
  return { ...place, visitor, home }
}

const WHO: Record<string, string> = { 青: 'author', 石: 'one', 上: 'two' }
const VOTE = { conflict: 'no', answer: 'approve', reason: '', passphrase: PASSPHRASE }

/** Opens the release as the visitor sees it and votes on the digest that is on the page. */
async function vote(visitor: Visitor, path: string, answers: Record<string, string> = {}) {
  const page = await visitor.get(path)
  const digest = /name="digest" value="([^"]+)"/.exec(page.text)?.[1] ?? 'x'.repeat(64)
  const account = [...page.text.matchAll(/<span>(.)/g)].map((m) => WHO[m[1] ?? '']).find(Boolean) ?? 'one'
  const code = visitor.code(account)
  return visitor.post(`${path}/vote`, { ...VOTE, digest, code, ...answers })
}

test('the first page is a list of work, and only of this person’s work', async () => {
  const reviewer = await inside('one')
  expect(reviewer.home.text).toContain('審査を待つ提供が 1件')
  expect(reviewer.home.text).toContain('24時間より長く連絡のない装置が 1台')
  expect(reviewer.home.text).not.toContain('名寄せの確認が')
  const privacy = await inside('privacy')
  expect(privacy.home.text).toContain('名寄せの確認が 1件')
  expect(privacy.home.text).toContain('終わっていない削除が 1件')
  expect(privacy.home.text).not.toContain('審査を待つ')
})

test('R46 each part opens to its roles only, for every role', async () => {
  const paths: Partial<Record<Room, string>> = {
    stops: '/stops',
    tickets: '/tickets',
    desk: '/stops/new',
    home: '/',
    releases: '/releases',
    erasures: '/erasures',
    linkage: '/linkage',
    agents: '/agents',
  }
  for (const account of ['one', 'privacy']) {
    const { visitor } = await inside(account)
    const role = account === 'one' ? 'reviewer' : 'privacy'
    for (const [room, path] of Object.entries(paths) as [Room, string][])
      expect([account, path, (await visitor.get(path)).status]).toEqual([
        account,
        path,
        mayEnter([role], room) ? 200 : 403,
      ])
  }
  for (const role of ROLES) expect(mayEnter([role], 'home')).toBe(true)
  for (const room of Object.keys(ROOMS) as Room[]) expect(mayEnter([], room)).toBe(false)
})

test('R46 two blind votes: hidden until both are in, never by the author, never twice', async () => {
  const place = await operatorRoom()
  const [author, one, two] = [new Visitor(place.app), new Visitor(place.app), new Visitor(place.app)]
  await author.signIn('author')
  await one.signIn('one')
  await two.signIn('two')
  const path = `/releases/${place.release}`
  expect((await author.get(path)).text).toContain('申請者は自分の申請を審査できません')
  expect((await vote(author, path)).status).toBe(403)
  const voted = await vote(one, path, { answer: 'reject', reason: '粒度が細かい' })
  expect(voted.text).toContain('回答を記録しました')
  expect(voted.text).toContain('粒度が細かい')
  const blind = await two.get(path)
  expect(blind.text).toContain('回答済み（非公開）')
  expect(blind.text).not.toContain('粒度が細かい')
  expect((await vote(one, path)).text).toContain('すでに投票しています')
  await vote(two, path)
  const both = await two.get(path)
  expect(both.text).toContain('粒度が細かい')
  expect(both.text).toContain('下書き')
})

test('two approvals pass the application; the built package shows its risk report and is voted on by digest', async () => {
  const place = await operatorRoom()
  const [one, two] = [new Visitor(place.app), new Visitor(place.app)]
  await one.signIn('one')
  await two.signIn('two')
  const path = `/releases/${place.release}`
  await vote(one, path)
  await vote(two, path)
  expect((await one.get(path)).text).toContain('承認済み')
  await built(place.parts, place.release)
  const page = await one.get(path)
  expect(page.text).toContain('最小の同値クラスは 11 行。基準 10 を満たします。')
  expect(page.text).toContain('満たさない')
  expect((await vote(one, path, { digest: 'f'.repeat(64) })).text).toContain('内容が変わっています')
  expect((await vote(one, path)).text).toContain('回答を記録しました')
})

test('a vote takes the passphrase again, a word about interests, a reason when it is no, and an answer', async () => {
  const { visitor, release } = await inside('one')
  const path = `/releases/${release}`
  const wrong = await vote(visitor, path, { passphrase: 'x' })
  expect(wrong.status).toBe(422)
  expect(wrong.text).toContain('合言葉か認証アプリの番号が違います')
  expect((await vote(visitor, path, { answer: 'reject' })).text).toContain('href="#reason"')
  expect((await vote(visitor, path, { answer: 'x' })).text).toContain('href="#answer"')
  expect((await vote(visitor, path, { conflict: '' })).text).toContain('href="#conflict"')
})

test('a disabled account is out at its next request; idle ends after 15 minutes', async () => {
  const place = await inside('one')
  place.clock.now += 14 * 60_000
  expect((await place.visitor.get('/')).text).toContain('今日すること')
  place.clock.now += 15 * 60_000
  expect((await place.visitor.get('/')).text).toContain('15分間操作がなかったため')
  await place.visitor.signIn('one')
  await disableAccount(accountStore(place.parts), { account: 'one', by: 'init' })
  expect((await place.visitor.get('/releases')).text).toContain('運営コンソールに入る')
  expect((await place.visitor.signIn('one')).status).toBe(401)
})

test('the linkage list names nobody; the certificate opens and downloads', async () => {
  const { visitor } = await inside('privacy')
  const list = await visitor.get('/linkage')
  expect(list.text).toContain('漢字が違う')
  expect(list.text).not.toContain('00123456')
  expect((await visitor.get('/erasures')).text).toContain('/erasures/e-0')
  const page = await visitor.get('/erasures/e-0')
  expect(page.text).toContain('120')
  const file = await visitor.get('/erasures/e-0/certificate.json')
  expect(file.headers.get('content-disposition')).toContain('attachment')
  expect(JSON.parse(file.text).core.erasure).toBe('e-0')
  expect((await visitor.get('/erasures/e-1')).status).toBe(404)
})

test('CSRF, foreign origins and strangers change and see nothing', async () => {
  const { app, visitor, release } = await inside('one')
  const stranger = new Visitor(app)
  for (const path of ['/', '/releases', `/releases/${release}`, '/erasures', '/linkage', '/agents'])
    expect((await stranger.get(path)).text).toContain('運営コンソールに入る')
  const path = `/releases/${release}`
  expect((await vote(visitor, path, { csrf: 'x' })).status).toBe(403)
  const foreign = { origin: 'https://evil.example' }
  expect((await visitor.post(`${path}/vote`, VOTE, foreign)).status).toBe(403)
  for (let i = 0; i < 5; i++) await stranger.signIn('one', 'wrong')
  const right = { account: 'one', passphrase: PASSPHRASE, code: '000000' }
  expect((await stranger.post('/sign-in', right)).status).toBe(429)
})

test('XSS: markup in names, comments and fields stays text', async () => {
  const nasty = `"><script>alert(1)</script>'`
  const { app, release } = await operatorRoom({ title: nasty })
  const path = `/releases/${release}`
  const visitor = new Visitor(app)
  const pages = [(await visitor.signIn(nasty, nasty)).text]
  await visitor.signIn('one')
  pages.push((await visitor.get('/releases')).text, (await visitor.get(path)).text)
  pages.push((await vote(visitor, path, { reason: nasty, answer: nasty })).text)
  pages.push((await vote(visitor, path, { reason: nasty })).text)
  for (const page of pages) {
    expect(page).not.toContain('<script>alert')
    expect(page).not.toMatch(/="">/)
  }
})
