import { certify, keyOf } from '@kakehashi/agent/imports/world.fixture'
import { importNotices } from '@kakehashi/agent/imports/notices'
import { readMapping } from '@kakehashi/agent/imports/mapping'
import { officeOfMidori, PIN } from '@kakehashi/agent/office/world.fixture'
import { gather } from '@kakehashi/agent/sources/flow'
import { exportFolder, nobodys, observation, patient } from '@kakehashi/agent/sources/folder.fixture'
import { sourceIndex } from '@kakehashi/agent/sources/source-index'
import type { SourcesTables } from '@kakehashi/agent/sources/store'
import type { Store } from '@kakehashi/store/store'
import { afterAll, expect, test } from 'vitest'
import { closeBrowser, follow, look, LOOK_MS_MAX, press, unseen } from './gallery.ts'
import { reach, write } from './keyboard.ts'
import { printed, signIn, takeSeat } from './seat.ts'

afterAll(closeBrowser)

const DAY = 86_400_000

const RESULT = {
  at: Date.parse('2027-01-04T09:00:00+09:00'),
  ruleVersion: '2024-04-01.1',
  source: { patients: 1200, records: 98_000 },
  open: { patients: 700, records: 61_000 },
  reasons: [
    { code: 'NOT_NOTIFIED', sentence: 'まだ通知していません。', patients: 480, records: 36_000 },
    { code: 'STOPPED', sentence: '提供停止の求めがあります。', patients: 20, records: 1000 },
  ],
  reconciles: true,
  faults: [{ code: 'NOT_UTF8', place: 'Observation.ndjson:12' }],
} as const

async function room(staff: string, options: { javaScriptEnabled?: boolean } = {}) {
  const place = await officeOfMidori({
    more: { dryRun: async () => ({ ...RESULT, reasons: [...RESULT.reasons], faults: [...RESULT.faults] }) },
  })
  const { register, clock, context, store } = place
  await register.recordNotice({ patient: keyOf('00001001'), by: 's-01' })
  const bytes = Buffer.from('患者番号,印刷日時,印刷番号\n1003,2026-11-25 09:00,J-1\n')
  await importNotices(place, { bytes, mapping: readMapping(null), by: 's-02' })
  clock.now += 40 * DAY
  await certify(context)
  await register.recordNotice({ patient: keyOf('00001002'), by: 's-01' })
  await store.bookkeep(async (tx) => {
    const { operator, operatorName, operatorAddress } = context.hub
    const about = { operator, operator_name: operatorName, operator_address: operatorAddress }
    const row = { ...about, batch: 'b-1', provided_at: clock.now, provided_on: '2027-01-04', track: 'ANON' }
    await tx
      .insertInto('provision')
      .values({ ...row, records: 2 })
      .execute()
    const items = JSON.stringify(['laboratory', 'diagnosis'])
    await tx
      .insertInto('provision_patient')
      .values({ batch: 'b-1', patient: keyOf('00001001'), items })
      .execute()
  })
  const seat = await takeSeat(place.app, options)
  await signIn(seat.page, staff, PIN)
  return {
    ...place,
    ...seat,
  }
}

test.skipIf(unseen)(
  'office: the privacy officer’s lists, records of provision, evidence, imports, and what goes wrong there',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, leave } = await room('s-02')
    for (const [path, name] of [
      ['/office', '01-home'],
      ['/office/list/waiting', '02-waiting'],
      ['/office/list/owed-first', '02-owed-first'],
      ['/office/list/stopped', '02-nobody'],
      ['/office/provisions', '03-provisions'],
      ['/office/provisions?from=x', '03-provisions-error'],
      ['/office/provisions/b-1', '04-provision'],
      ['/office/imports', '05-imports'],
      ['/office/evidence', '06-evidence'],
      ['/office/dry-run', '07-dry-run-none'],
      ['/office/list/nothing', '08-not-found'],
    ] as const) {
      await page.goto(`${at.url}${path}`)
      await look(page, `office-${name}`)
    }
    await page.goto(`${at.url}/office/evidence`)
    await write(page, '#number', '9999')
    await press(page, 'main form button')
    await look(page, 'office-06-evidence-error')
    await page.goto(`${at.url}/office/dry-run`)
    await press(page, 'main form button')
    await page.goto(`${at.url}/office/dry-run`)
    await look(page, 'office-07-dry-run')
    expect(await printed(page, 'office-07-dry-run-print')).toBe(1)
    await page.goto(`${at.url}/office/imports`)
    await press(page, 'main form button')
    await look(page, 'office-09-undone')
    await page.goto(`${at.url}/office/evidence`)
    await write(page, '#number', '1001')
    await reach(page, 'main form button')
    const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
    expect(file.suggestedFilename()).toMatch(/^evidence-[0-9a-f]{8}\.zip$/)
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'office: IT’s pages, by keyboard alone and without a script',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, leave } = await room('s-03', { javaScriptEnabled: false })
    await follow(page, '管理')
    await follow(page, '試し送り')
    await follow(page, '試し送りをする')
    expect(await page.locator('h1').textContent()).toBe('試し送り')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)('office: what IT sees, and what it may not', { timeout: LOOK_MS_MAX }, async () => {
  const { page, at, leave, context, store } = await room('s-03')
  await using folder = await exportFolder()
  await folder.put('Patient.ndjson', `${patient('00001001')}\n`)
  await folder.put(
    'Observation.ndjson',
    `${observation('a', '00001001')}\n${nobodys('b')}\n{"resourceType"\n`,
  )
  const sources = store as unknown as Store<SourcesTables>
  const connector = folder.connector(sourceIndex(sources, async () => null))
  const { env, log } = context
  await gather({ store: sources, connector, env, log, signal: new AbortController().signal })
  await page.goto(`${at.url}/office`)
  await look(page, 'office-20-it')
  // the first visit begins to count
  await page.goto(`${at.url}/office/sources`)
  await page.goto(`${at.url}/office/sources`)
  expect(await page.locator('h2').allTextContents()).toEqual(['ehr'])
  await look(page, 'office-22-sources')
  await page.goto(`${at.url}/office/evidence`)
  await look(page, 'office-21-refused')
  expect(await leave()).toEqual([])
})
