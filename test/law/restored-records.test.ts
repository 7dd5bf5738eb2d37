import { dropForRestore } from '@kakehashi/agent/outbox/restore'
import { confirmDeletions, heldDeletions } from '@kakehashi/agent/sources/sweep'
import { recordHash } from '@kakehashi/hub/content/partition'
import { sayRestored } from '@kakehashi/hub/vault/daily'
import { CONTROL_IDS_MAX } from '@kakehashi/protocol/limits'
import { recordKeyText } from '@kakehashi/protocol/records'
import { afterEach, expect, test } from 'vitest'
import { chart, FACILITY, person, result } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

let both: BothEnds
afterEach(() => both.close())

const NUMBERS = ['0001', '0002', '0003']
const own = (n: string) => result(n, `o${n}`)
const results = (...more: ReturnType<typeof result>[]) =>
  both.write('Observation.ndjson', [...NUMBERS.map(own), ...more])

/** Three patients whose wait is over; what they have was sent. */
async function sent(): Promise<void> {
  both = await BothEnds.open()
  both.write(
    'Patient.ndjson',
    NUMBERS.map((n) => person(n)),
  )
  results()
  await both.agent.gather()
  for (const number of NUMBERS)
    await both.agent.register.recordNotice({ patient: chart(number), by: 'desk', withToken: true })
  await both.pass(35)
  await send()
}

async function send(full = false): Promise<void> {
  await both.agent.gather({ full })
  await both.agent.build()
  await both.talk()
}

async function atHub(id: string): Promise<'held' | 'gone' | undefined> {
  const row = await both.hub.ops.db
    .selectFrom('content_record')
    .select('gone')
    .where('record', '=', recordHash(FACILITY, { source: 'ehr', type: 'Observation', id }))
    .executeTakeFirst()
  return row && (Number(row.gone) === 1 ? 'gone' : 'held')
}

const batches = async () => (await both.hub.ops.db.selectFrom('batch').select('accepted').execute()).length
const taken = async () =>
  (await both.hub.ops.db.selectFrom('batch').select('accepted').execute()).reduce(
    (sum, row) => sum + row.accepted,
    0,
  )
const due = async () =>
  (await both.store.db.selectFrom('due_tombstone').select('body').execute()).map(
    ({ body }) => JSON.parse(body).reason,
  )
const reasons = async () =>
  Object.fromEntries((await both.agent.dryRun()).reasons.map(({ code, patients }) => [code, patients]))

test('L1 a record sent after the backup and gone before the agent put back looked is taken back, and nothing is sent twice', async () => {
  await sent()
  const backup = both.image()
  results(result('0001', 'o-late'), result('0002', 'o-stays'))
  await send()
  expect(await atHub('o-late')).toBe('held')
  const before = await taken()
  results(result('0002', 'o-stays'))
  await both.restore(backup)
  await both.talk()
  expect(await reasons()).toEqual({})
  await both.agent.gather({ full: true })
  expect(await due()).toEqual(['not-restored'])
  await both.agent.build()
  await both.talk()
  expect([await atHub('o-late'), await atHub('o-stays'), await atHub('o0001')]).toEqual([
    'gone',
    'held',
    'held',
  ])
  // one tombstone, and not one record that the hub had already
  expect((await taken()) - before).toBe(1)
  await send(true)
  expect((await taken()) - before).toBe(1)
  expect(await due()).toEqual([])
})

test('L1 a batch of before that the vault takes after it has told what it holds: the agent asks what came since', async () => {
  await sent()
  const backup = both.image()
  results(result('0001', 'o-late'))
  await both.agent.gather()
  await both.agent.build()
  await both.agent.exchange()
  results()
  await both.restore(backup)
  await both.agent.exchange()
  // one round: the list is made, then the batch is admitted
  await both.hub.vault.round()
  const lists = async () =>
    (await both.hub.ops.db.selectFrom('outbox').select('type').where('type', '=', 'record-list').execute())
      .length
  expect([await atHub('o-late'), await lists()]).toEqual(['held', 1])
  await both.agent.exchange()
  expect(await reasons()).toEqual({ RECORDS_UNKNOWN: 3 })
  await both.talk()
  expect(await reasons()).toEqual({})
  expect(await lists()).toBe(2)
  await send(true)
  expect(await atHub('o-late')).toBe('gone')
})

test('L1 an incremental round proves nothing: only the next full pass takes back what the vault told', async () => {
  await sent()
  const backup = both.image()
  results(result('0001', 'o-late'))
  await send()
  results()
  await both.restore(backup)
  await both.talk()
  both.write('Condition.ndjson', [])
  await both.agent.gather()
  expect(await due()).toEqual([])
  await both.agent.gather({ full: true })
  expect(await due()).toEqual(['not-restored'])
})

test('L1 what changed since it was sent goes again, through the gate, and so does what the hub no longer holds', async () => {
  await sent()
  const backup = both.image()
  both.write('Observation.ndjson', [result('0001', 'o0001', 7.7), own('0002')])
  await send(true)
  expect(await atHub('o0003')).toBe('gone')
  // back at the source as the backup knows it; nothing there says that it ever changed
  results()
  await both.restore(backup)
  const before = await taken()
  await both.talk()
  await send()
  expect([await atHub('o0001'), await atHub('o0002'), await atHub('o0003')]).toEqual(['held', 'held', 'held'])
  expect((await taken()) - before).toBe(2)
  const row = await both.store.db
    .selectFrom('source_ledger')
    .select('hash')
    .where('id', '=', 'o0001')
    .executeTakeFirstOrThrow()
  const record = recordHash(FACILITY, { source: 'ehr', type: 'Observation', id: 'o0001' })
  expect(
    await both.hub.ops.db
      .selectFrom('content_record')
      .select(['hash', 'version'])
      .where('record', '=', record)
      .execute(),
  ).toEqual([{ hash: row.hash, version: 3 }])
})

test('DATA T13 so many missing after a restore are rather a broken export: the brake holds them until a person says so', async () => {
  await sent()
  const backup = both.image()
  results(...Array.from({ length: 30 }, (_, n) => result('0001', `o-late-${n}`)))
  await send()
  results()
  await both.restore(backup)
  await both.talk()
  await send(true)
  expect(await heldDeletions(both.store as never)).toMatchObject([{ type: 'Observation', missing: 30 }])
  expect(await atHub('o-late-7')).toBe('held')
  await confirmDeletions(both.store as never, { source: 'ehr', type: 'Observation', by: 'office' })
  await send()
  expect(await atHub('o-late-7')).toBe('gone')
})

/** As many more records at the hub as two pages and a half have, which the source never held. */
async function manyAtHub(): Promise<number> {
  const row = await both.hub.ops.db
    .selectFrom('content_record')
    .selectAll()
    .limit(1)
    .executeTakeFirstOrThrow()
  const count = Math.floor(CONTROL_IDS_MAX * 2.5)
  const rows = Array.from({ length: count }, (_, n) => {
    const key = { source: 'ehr', type: 'Observation', id: `old-${n}` }
    return { ...row, record: recordHash(FACILITY, key), key: recordKeyText(key), seq: 1000 + n }
  })
  await both.hub.ops.bookkeep(async (tx) => {
    for (let at = 0; at < count; at += 500)
      await tx
        .insertInto('content_record')
        .values(rows.slice(at, at + 500))
        .execute()
  })
  return count
}

test('S13 the list comes page by page, each asked for when the one before is applied, and nothing leaves between', async () => {
  await sent()
  const count = await manyAtHub()
  await both.restore(both.image())
  await both.agent.exchange()
  await both.hub.vault.round()
  await both.agent.exchange()
  expect(await reasons()).toEqual({ RECORDS_UNKNOWN: 3 })
  results(result('0003', 'o-new'))
  await both.agent.gather()
  await both.agent.build()
  expect((await both.agent.status()).batches).toMatchObject({ queued: 0 })
  const pages: number[] = []
  for (let turn = 0; turn < 12 && (await both.agent.status()).restored?.recordsAwaited; turn++) {
    const [waiting] = await both.hub.ops.db
      .selectFrom('outbox')
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('type', '=', 'record-list')
      .where('acked_at', 'is', null)
      .execute()
    pages.push(Number(waiting?.n))
    await both.hub.vault.round()
    await both.agent.exchange()
  }
  expect(Math.max(...pages)).toBe(1)
  expect(pages.length).toBeGreaterThanOrEqual(2)
  expect(await reasons()).toEqual({})
  const known = await both.store.db
    .selectFrom('sent_record')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  expect(known.n).toBe(count + 6)
  const before = await batches()
  await both.agent.build()
  await both.talk()
  expect(await batches()).toBe(before + 1)
})

test('L1 put back once more while the list is on its way: the pages of the first question are none of the second', async () => {
  await sent()
  const backup = both.image()
  results(result('0001', 'o-late'))
  await send()
  results()
  await both.restore(backup)
  await both.agent.exchange()
  await both.hub.vault.round()
  await dropForRestore(both.agent.context)
  await both.agent.exchange()
  expect(await both.store.db.selectFrom('sent_record').select('key').execute()).toHaveLength(6)
  await both.talk()
  expect(await both.store.db.selectFrom('sent_record').select('key').execute()).toHaveLength(7)
  await send(true)
  expect(await atHub('o-late')).toBe('gone')
})

test('S14 an older agent is told no list it could not read, and is told when its heartbeat names a newer version', async () => {
  await sent()
  const backup = both.image()
  results(result('0001', 'o-late'))
  await send()
  results()
  await both.hub.ops.bookkeep((tx) =>
    tx.updateTable('agent').set({ software: 'kakehashi-agent/0.1.0' }).execute(),
  )
  await both.restore(backup)
  await both.talk()
  const lists = async () =>
    (await both.hub.ops.db.selectFrom('outbox').select('seq').where('type', '=', 'record-list').execute())
      .length
  expect(await lists()).toBe(0)
  expect(await reasons()).toEqual({})
  await both.agent.tick()
  await both.talk()
  expect(await lists()).toBe(1)
  await send(true)
  expect(await atHub('o-late')).toBe('gone')
  await both.agent.tick()
  await both.talk()
  expect(await lists()).toBe(1)
})

test('T32 a vault put back from a backup is sent what it has lost, and nothing that it still has', async () => {
  await sent()
  await both.pass(1)
  results(result('0001', 'o-late'))
  await send()
  // the vault as it was before: neither that record nor that batch
  const { ops } = both.hub
  const lost = recordHash(FACILITY, { source: 'ehr', type: 'Observation', id: 'o-late' })
  await ops.bookkeep(async (tx) => {
    for (const table of ['landing', 'content_record'] as const)
      await tx.deleteFrom(table).where('record', '=', lost).execute()
    const last = await tx.selectFrom('batch').select('batch').orderBy('sequence', 'desc').executeTakeFirst()
    await tx
      .deleteFrom('batch')
      .where('batch', '=', last?.batch ?? '')
      .execute()
  })
  const before = await taken()
  await send(true)
  expect(await atHub('o-late')).toBeUndefined()
  await sayRestored(both.hub.parts)
  await both.talk()
  await both.talk()
  expect(await reasons()).toEqual({})
  await send()
  expect(await atHub('o-late')).toBe('held')
  expect((await taken()) - before).toBe(1)
  expect(await both.store.db.selectFrom('sent_record').select('key').execute()).toHaveLength(7)
})
