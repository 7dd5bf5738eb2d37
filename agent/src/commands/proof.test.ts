import { expect, test } from 'vitest'
import { Clerk, hospital, PIN } from '../counter/world.fixture.ts'
import { keepStaff } from '../staff/flow.ts'
import { OFFICERS, provePins, TWO_PEOPLE } from './proof.ts'

const OTHER = '640271'

async function atTheKeyboard() {
  const place = await hospital()
  await keepStaff(place.house, { id: 's-09', name: '森', role: 'desk', pin: OTHER, by: 'admin' })
  const prove = (ids: string[], pins: string[], roles = TWO_PEOPLE) =>
    provePins(place.context, roles, ids, pins).then(
      () => null,
      (error: { refusal: { code: string; place: string } }) => `${error.refusal.code} ${error.refusal.place}`,
    )
  const leaves = async () => {
    const rows = await place.store.db.selectFrom('audit_leaf').select('leaf').orderBy('seq').execute()
    return rows.map(({ leaf }) => new TextDecoder().decode(leaf)).join('\n')
  }
  return { ...place, prove, leaves }
}

test('R46 T15 two people on the command line: each by their own PIN and role, nobody twice, nobody by a first PIN', async () => {
  const { prove, house, leaves } = await atTheKeyboard()
  expect(await prove(['s-01', 's-09'], [PIN, OTHER])).toBeNull()
  expect(await leaves()).toMatch(/staff\.proven.*s-01[^]*staff\.proven.*s-09/)
  expect(await prove(['s-01', 's-01'], [PIN, PIN])).toContain('別の職員')
  expect(await prove(['s-01', 's-09'], [PIN, PIN])).toContain('2人目')
  expect(await prove(['s-01', 's-09'], [PIN])).toContain('2人目')
  expect(await prove(['s-01', 's-03'], [PIN, PIN])).toContain('役割（受付、個人情報担当）')
  expect(await prove(['s-01'], [PIN], OFFICERS)).toContain('NOT_ALLOWED')
  expect(await prove(['s-02'], [PIN], OFFICERS)).toBeNull()
  const { firstPin } = await keepStaff(house, { id: 's-02', pin: 'new', by: 'admin' })
  expect(await prove(['s-02'], [firstPin ?? ''], OFFICERS)).toContain('まだ変えていません')
  await keepStaff(house, { id: 's-09', disabled: true, by: 'admin' })
  expect(await prove(['s-01', 's-09'], [PIN, OTHER])).toContain('2人目')
  expect(await leaves()).not.toMatch(new RegExp(`${PIN}|${OTHER}|${firstPin}`))
})

test('ASVS 6.3.1 wrong PINs are counted together: guessed at the counter, closed on the command line, and the other way', async () => {
  const { prove, app, clock } = await atTheKeyboard()
  const clerk = new Clerk(app)
  for (let n = 0; n < 3; n++) expect((await clerk.signIn('s-09', '111111')).status).toBe(401)
  for (let n = 0; n < 2; n++) expect(await prove(['s-09'], ['111111'])).toContain('1人目')
  expect(await prove(['s-09'], [OTHER])).toContain('30秒お待ちください')
  expect((await clerk.signIn('s-09', OTHER)).status).toBe(429)
  clock.now += 30_000
  expect(await prove(['s-09'], [OTHER])).toBeNull()
  expect((await clerk.signIn('s-09', OTHER)).status).toBe(200)
})
