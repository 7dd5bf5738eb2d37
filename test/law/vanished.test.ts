import { expect, test } from 'vitest'
import { chart, DAY, openScheme, person, result, world } from './agent-world.ts'

/** Read, notified, waited for: everything may travel. */
async function untilOpen(w: Awaited<ReturnType<typeof world>>): Promise<void> {
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  w.clock.now += 35 * DAY
  await w.vault.sayCertified(w.agent)
  await w.agent.exchange()
}

test('a record that vanishes while its batch is under way is taken back once the receipt says it was given', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0001', 'o2')])
  await untilOpen(w)
  await w.agent.build()
  await w.agent.exchange()

  w.write('Observation.ndjson', [result('0001', 'o1')])
  expect(await w.agent.gather()).toMatchObject({ vanished: 1 })
  expect(await w.agent.build()).toMatchObject({ batches: 0 })
  const [given] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, given!)
  await w.agent.exchange()

  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 0, tombstones: 1 })
  await w.agent.exchange()
  const [second] = await w.vault.batches(w.agent)
  expect(second!.content.tombstones).toMatchObject([{ key: { id: 'o2' }, reason: 'vanished' }])
})

test('DATA T38 what a server put back showed too old while it was read to be sent is sent once it is new again', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001')])
  w.write('Observation.ndjson', [
    { ...result('0001', 'o1'), meta: { lastUpdated: new Date(w.clock.now).toISOString() } },
  ])
  await untilOpen(w)
  const { db } = w.agent.context.store
  const ofO1 = () => db.updateTable('source_ledger').where('id', '=', 'o1')
  const before = await db
    .selectFrom('source_ledger')
    .selectAll()
    .where('id', '=', 'o1')
    .executeTakeFirstOrThrow()

  // a pass saw another version, of later than the one that is shown now
  await ofO1().set({ hash: 'newer', told_at: w.clock.now }).execute()
  expect(await w.agent.build()).toMatchObject({ records: 1, withheld: 1 })
  // the server is as it was
  await ofO1().set({ hash: before.hash, told_at: before.told_at }).execute()
  await w.agent.gather()
  expect(await w.agent.build()).toMatchObject({ records: 1, withheld: 0 })

  // once a pass has noted it, that pass or a person marks the patient anew, and nothing is read in vain
  await ofO1().set({ hash: 'newer', told_at: w.clock.now, state: 'held', code: 'SOURCE_REGRESSED' }).execute()
  await db
    .insertInto('to_read')
    .values({ patient: chart('0001'), since: w.clock.now, marks: 1 })
    .execute()
  expect(await w.agent.build()).toMatchObject({ records: 0, withheld: 1 })
  expect(await db.selectFrom('to_read').selectAll().execute()).toEqual([])
})

test('DATA T38 what a server put back shows too old while its batch is under way is not taken back', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001')])
  w.write('Observation.ndjson', [result('0001', 'o1')])
  await untilOpen(w)
  await w.agent.build()
  await w.agent.exchange()
  const { db } = w.agent.context.store
  const held = { hash: 'older', state: 'held', code: 'SOURCE_REGRESSED' }
  await db.updateTable('source_ledger').set(held).where('id', '=', 'o1').execute()
  const [given] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, given!)
  await w.agent.exchange()
  expect(await db.selectFrom('due_tombstone').select('key').execute()).toEqual([])
})
