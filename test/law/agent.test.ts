import { expect, test } from 'vitest'
import { chart, DAY, openScheme, person, result, world } from './agent-world.ts'

test('the whole way of the agent: gather, notice, wait, build, hand over, upload, receipt', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0001', 'o2'), result('0002', 'o3')])
  await openScheme(w)
  expect(await w.agent.exchange()).toEqual({ failure: null })
  expect(await w.agent.gather()).toMatchObject({ seen: 5, faults: [] })
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect(await w.agent.build()).toMatchObject({ batches: 0, closed: 2 })

  w.clock.now += 35 * DAY
  await w.vault.sayCertified(w.agent)
  expect(await w.agent.exchange()).toEqual({ failure: null })
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 3, closed: 1 })
  expect(await w.agent.exchange()).toEqual({ failure: null })

  const [batch] = await w.vault.batches(w.agent)
  expect(batch?.content.records.map((r) => r.key.id).toSorted()).toEqual(['0001', 'o1', 'o2'])
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1, done: 0 })
  if (batch) await w.vault.receipt(w.agent, batch)
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 0, done: 1 })
  expect(await w.agent.status()).toMatchObject({ recordsSent: 3, toRead: 1, lastFailure: null })

  await w.agent.gather({ full: true })
  expect(await w.agent.build()).toMatchObject({ batches: 0, unchanged: 0, closed: 1 })
})
