import { expect, test } from 'vitest'
import { chart, DAY, openScheme, person, result, world } from './agent-world.ts'

test('a record that vanishes while its batch is under way is taken back once the receipt says it was given', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0001', 'o2')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  w.clock.now += 35 * DAY
  await w.vault.sayCertified(w.agent)
  await w.agent.exchange()
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
