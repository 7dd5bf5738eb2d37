import type { Store } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { Clerk } from '../counter/world.fixture.ts'
import { exportFolder, nobodys, observation, patient } from '../sources/folder.fixture.ts'
import { gather } from '../sources/flow.ts'
import { sourceIndex } from '../sources/source-index.ts'
import type { SourcesTables } from '../sources/store.ts'
import { officeOfMidori, PIN } from './world.fixture.ts'

async function signedIn(staff: string) {
  const office = await officeOfMidori({})
  const clerk = new Clerk(office.app)
  await clerk.signIn(staff, PIN)
  return { office, clerk }
}

/** The page counts in the background and is opened again. */
async function counted(clerk: Clerk): Promise<string> {
  for (let n = 0; n < 50; n++) {
    const { text } = await clerk.get('/office/sources')
    if (!text.includes('数えています')) return text
    await new Promise((soon) => setTimeout(soon, 5))
  }
  throw new Error('never counted')
}

test('IT sees how fresh each source is, what is held and what could not be read, in sums, and no person', async () => {
  const { office, clerk } = await signedIn('s-03')
  await using folder = await exportFolder()
  await folder.put('Patient.ndjson', `${patient('7001', { name: [{ text: '山田花子' }] })}\n`)
  await folder.put('Observation.ndjson', `${observation('a', '7001')}\n${nobodys('b')}\n{"resourceType"\n`)
  expect(await counted(clerk)).toContain('まだ何も読んでいません')
  const store = office.store as unknown as Store<SourcesTables>
  const connector = folder.connector(sourceIndex(store, async () => null))
  const { env, log } = office.context
  await gather({ store, connector, env, log, signal: new AbortController().signal })
  await clerk.post('/office/sources/count', {})
  const text = await counted(clerk)
  expect(text).toContain('最後に読んだ時刻')
  expect(text).toMatch(/読めた[^<]*<\/th>\s*<td>2</)
  expect(text).toMatch(/合計<\/th>\s*<td>3</)
  expect(text).toContain('JSON')
  for (const name of ['山田', '花子', '7001']) expect(text).not.toContain(name)
  expect(text).not.toContain('accept-older')
  await store.db
    .updateTable('source_ledger')
    .set({ code: 'SOURCE_REGRESSED' })
    .where('id', '=', 'b')
    .execute()
  await clerk.post('/office/sources/count', {})
  expect(await counted(clerk)).toContain(`agent sources accept-older ${connector.id} --by`)
})

test('the page of sources is for IT and the privacy officer, not for the desk', async () => {
  expect((await (await signedIn('s-02')).clerk.get('/office/sources')).status).toBe(200)
  expect((await (await signedIn('s-01')).clerk.get('/office/sources')).status).toBe(403)
})
