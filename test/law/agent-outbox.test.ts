import { auditOrigin } from '@kakehashi/agent/audit/checkpoint'
import { verifyOutbox } from '@kakehashi/agent/outbox/verify'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import { expect, test } from 'vitest'
import { chart, DAY, pass, puts, ready, result, type World } from './agent-world.ts'

test('R27 record of provision: written when the receipt says accepted, with operator, patients and item classes', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.exchange()
  expect(await w.store.db.selectFrom('provision').selectAll().execute()).toEqual([])
  const [batch] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, batch!, [{ code: 'STOPPED', patient: chart('0003'), record: null }])
  await w.agent.exchange()
  expect(await w.store.db.selectFrom('provision').selectAll().execute()).toMatchObject([
    {
      batch: batch!.batch,
      provided_on: '2026-05-06',
      operator: 'op-1',
      operator_name: '認定事業者',
      operator_address: '東京都千代田区1-1',
    },
  ])
  const lines = await w.store.db.selectFrom('provision_patient').selectAll().orderBy('patient').execute()
  expect(lines.map((l) => [l.patient, JSON.parse(l.items)])).toEqual([
    [chart('0001'), ['identity', 'laboratory']],
    [chart('0002'), ['identity', 'laboratory']],
  ])
  expect(await w.agent.status()).toMatchObject({
    recordsSent: 4,
    refusals: [{ code: 'STOPPED', n: 1 }],
  })
})

test('R27 a refused batch is no provision; a passing reason is tried again later', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, batch!, [{ code: 'FACILITY_UNKNOWN', patient: null, record: null }])
  await w.agent.exchange()
  expect(await w.store.db.selectFrom('provision').selectAll().execute()).toEqual([])
  expect((await w.agent.status()).recordsSent).toBe(0)
  expect(await w.agent.build()).toMatchObject({ batches: 0 })
  w.clock.now += 7 * 3600_000
  await w.agent.tick()
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 6 })
})

test('R29 a batch that was claimed and went no further, because the disk refused, leaves with the next hand-over', async () => {
  using w = await ready()
  await w.agent.build()
  await w.store.db.updateTable('outbox_batch').set({ leg: 'claimed' }).execute()
  await w.agent.exchange()
  expect(puts(w).length).toBe(1)
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1 })
})

test('R29 store and forward: only the vault’s receipt finishes a batch, and kill -9 at any leg loses nothing', async () => {
  using w = await ready()
  await w.agent.build()
  await w.store.db.updateTable('outbox_batch').set({ leg: 'claimed' }).execute()
  await w.restart()
  expect((await w.agent.status()).batches).toMatchObject({ queued: 1 })
  w.line.broken = ({ method }) => method === 'PUT'
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'in-flight': 1 })
  await w.restart()
  w.line.broken = null
  w.sent.length = 0
  await w.agent.exchange()
  expect(w.sent.some((r) => r.method === 'GET' && r.path.startsWith('/v1/batches/'))).toBe(true)
  const [batch] = await w.vault.batches(w.agent)
  await w.restart()
  await w.agent.exchange()
  expect(puts(w).length).toBe(1)
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1 })
  expect((await w.store.db.selectFrom('outbox_part').select('batch').execute()).length).toBeGreaterThan(0)
  await w.vault.receipt(w.agent, batch!)
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ done: 1 })
  expect(await w.store.db.selectFrom('outbox_part').select('batch').execute()).toEqual([])
})

test('R29 a receipt for other bytes, or one not signed by the vault, finishes nothing', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, { ...batch!, digest: '0'.repeat(64) })
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1, done: 0 })
})

test('R29 per-patient order: a later batch of the same patient waits for the receipt of the earlier', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.exchange()
  w.write('Observation.ndjson', [
    result('0001', 'o0001', 7.1),
    result('0002', 'o0002'),
    result('0003', 'o0003'),
  ])
  await w.agent.gather()
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 1, unchanged: 1 })
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1, queued: 1 })
  const [batch] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, batch!)
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1, queued: 0, done: 1 })
})

test('R29 the gateway down for a month: nothing is lost, and everything goes when it is back', async () => {
  using w = await ready()
  await w.agent.build()
  w.line.broken = () => true
  for (let day = 0; day < 30; day++) {
    w.clock.now += DAY
    await w.agent.tick()
    await w.agent.exchange()
    await w.agent.gather()
    await w.agent.build()
  }
  expect((await w.agent.status()).batches).toMatchObject({ queued: 1 })
  w.line.broken = null
  await w.vault.sayCertified(w.agent)
  await w.agent.exchange()
  await w.agent.build()
  await w.agent.exchange()
  const batches = await w.vault.batches(w.agent)
  expect(batches.flatMap((b) => b.content.records).length).toBe(6)
})

test('R29 disk full: reading pauses with its reason, nothing is lost, and it goes on when there is room', async () => {
  using w = await ready()
  const { sql } = await import('kysely')
  const pages = await sql<{ page_count: number }>`PRAGMA page_count`.execute(w.store.db)
  await sql.raw(`PRAGMA max_page_count = ${pages.rows[0]!.page_count}`).execute(w.store.db)
  w.write(
    'Condition.ndjson',
    Array.from({ length: 400 }, (_, i) => ({
      resourceType: 'Condition',
      id: `c${i}`,
      subject: { reference: 'Patient/0001' },
      note: [{ text: Array.from({ length: 40 }, (_, k) => Math.sin(i * 41 + k)).join(' ') }],
    })),
  )
  await sql.raw(`PRAGMA max_page_count = 1000000`).execute(w.store.db)
  await w.agent.gather()
  const after = await sql<{ page_count: number }>`PRAGMA page_count`.execute(w.store.db)
  await sql.raw(`PRAGMA max_page_count = ${after.rows[0]!.page_count}`).execute(w.store.db)
  expect(await w.agent.build()).toMatchObject({ paused: 'DISK_FULL' })
  expect((await w.agent.status()).batches).toMatchObject({ queued: 0 })
  const pages2 = await sql<{ page_count: number }>`PRAGMA page_count`.execute(w.store.db)
  await sql.raw(`PRAGMA max_page_count = ${pages2.rows[0]!.page_count}`).execute(w.store.db)
  const refusals = new Set<string>()
  for (let i = 0; i < 200 && refusals.size === 0; i++)
    await w.agent.register
      .judgeCapacity({ patient: chart('0003'), capacity: 'able', by: 'desk' })
      .catch((e) => refusals.add(e.refusal.code))
  expect([...refusals]).toEqual(['DISK_FULL'])
  await sql.raw(`PRAGMA max_page_count = 1000000`).execute(w.store.db)
  expect(await w.agent.build()).toMatchObject({ paused: null, records: 406 })
})

test('an order is applied once, however often it is delivered, and is acknowledged after its commit', async () => {
  using w = await ready()
  const order = {
    type: 'stop-ordered' as const,
    stop: 'stop-x',
    handle: null,
    patients: [chart('0002')],
    tracks: null,
    requester: 'person',
    askedAt: w.clock.now,
    erasureAsked: false,
  }
  await w.vault.say(w.agent, order, 'message-1')
  w.line.broken = ({ path }) => path === '/v1/control/acks'
  await w.agent.exchange()
  await w.restart()
  w.line.broken = null
  await w.agent.exchange()
  const stops = await w.store.db
    .selectFrom('register_event')
    .select('seq')
    .where('type', '=', 'stop-asked')
    .execute()
  expect(stops.length).toBe(1)
  expect((await w.vault.call('GET', '/v1/vault/acks')).json()).toContainEqual(
    expect.objectContaining({ message: 'message-1' }),
  )
})

test('an erasure at the hub: what was sent is forgotten, what waits is dropped, nothing is sent again', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, batch!)
  await w.agent.exchange()
  w.write(
    'Observation.ndjson',
    ['0001', '0002', '0003'].map((n) => result(n, `o${n}`, 9.1)),
  )
  await w.agent.gather()
  await w.agent.build()
  await w.vault.say(w.agent, {
    type: 'erasure-done',
    patients: [chart('0001')],
    erasedAt: w.clock.now,
    certificate: 'a'.repeat(64),
  })
  await w.agent.exchange()
  const sent = await w.store.db.selectFrom('sent_record').select('patient').distinct().execute()
  expect(sent.map((r) => r.patient)).not.toContain(chart('0001'))
  await w.agent.gather({ full: true })
  await w.agent.build()
  await w.agent.exchange()
  const patients = (await w.vault.batches(w.agent)).flatMap((b) =>
    b.content.evidence.map((e) => e.state.patient.patient),
  )
  expect(patients.toSorted()).toEqual([chart('0002'), chart('0003')])
  // the register's own evidence outlives the erasure
  expect((await w.store.db.selectFrom('provision_patient').select('patient').execute()).length).toBe(3)
})

test('R29 a batch that the gateway lost after storing it is sent again, through the gate', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1 })
  await pass(w, DAY)
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1 })
  const gateway = w.gatewayStore.db
  await gateway.deleteFrom('gateway_part').execute()
  await gateway.deleteFrom('gateway_batch').execute()
  await pass(w, DAY + 1)
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1, queued: 0 })
  const again = await w.vault.batches(w.agent)
  expect(again.map((b) => [b.batch, b.digest])).toEqual([[batch!.batch, batch!.digest]])
})

test('R29 a batch the gateway will never take is made anew, and the queue behind it does not starve', async () => {
  using w = await ready()
  await w.agent.build()
  const { batch } = await w.store.db.selectFrom('outbox_batch').select('batch').executeTakeFirstOrThrow()
  const part = await w.store.db.selectFrom('outbox_part').selectAll().executeTakeFirstOrThrow()
  const altered = Uint8Array.from(part.bytes)
  altered[altered.length - 1]! ^= 1
  await w.store.db.updateTable('outbox_part').set({ bytes: altered }).execute()
  expect(await verifyOutbox(w.agent.context)).toEqual({ batches: 1, damaged: [batch] })
  expect((await w.agent.exchange()).failure).toBe('DIGEST_MISMATCH')
  expect((await w.agent.status()).batches).toMatchObject({ dropped: 1, 'in-flight': 0 })
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 6 })
  await w.agent.exchange()
  expect((await w.vault.batches(w.agent)).length).toBe(1)
})

test('S8 every change of state has one leaf in the agent’s own log, and the heartbeat carries its checkpoint', async () => {
  using w = await ready()
  const before = await leaves(w)
  await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  expect((await leaves(w)) - before).toBe(1)
  await w.agent.tick()
  await w.agent.exchange()
  const beat = (await w.vault.hear(w.agent)).find((m) => m.type === 'heartbeat')
  const note = beat?.type === 'heartbeat' ? (beat.checkpoint ?? '') : ''
  const { keys } = w.agent.context
  const shown = verifyCheckpoint(note, auditOrigin(w.agent.context), keys.signing.public)
  expect(shown?.size).toBe(before + 1)
  const text = await w.store.db.selectFrom('audit_leaf').select('leaf').execute()
  for (const { leaf } of text) expect(Buffer.from(leaf).toString()).not.toContain('0001')
})

async function leaves(w: World): Promise<number> {
  const row = await w.store.db
    .selectFrom('audit_leaf')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return row.n
}

test('R29 the gateway holds other bytes under the same batch id: ours are made anew under another', async () => {
  using w = await ready()
  await w.agent.build()
  w.line.broken = ({ method }) => method === 'PUT'
  await w.agent.exchange()
  const { batch } = await w.store.db.selectFrom('outbox_batch').select('batch').executeTakeFirstOrThrow()
  await w.gatewayStore.db
    .insertInto('gateway_batch')
    .values({
      batch,
      seq: 1,
      agent: w.agent.context.keys.agent,
      size: 9,
      digest: 'f'.repeat(64),
      received: 9,
      state: 'done',
      stored_at: w.clock.now,
      changed_at: w.clock.now,
    })
    .execute()
  w.line.broken = null
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ dropped: 1, 'in-flight': 0 })
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 6 })
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1 })
})
