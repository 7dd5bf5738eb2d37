import { openNameStops } from '@kakehashi/agent/register/name-stop'
import { patientStateOf } from '@kakehashi/agent/register/read'
import { patientKey } from '@kakehashi/protocol/ids'
import { afterEach, expect, test } from 'vitest'
import { FACILITY, person } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

const opened: BothEnds[] = []
afterEach(async () => {
  for (const both of opened.splice(0)) await both.close()
})

async function bothEnds(): Promise<BothEnds> {
  const both = await BothEnds.open()
  opened.push(both)
  both.write('Patient.ndjson', [person('0001', '1948-05-03'), person('0002', '1950-06-01')])
  await both.agent.gather()
  await both.talk()
  return both
}

const ask = (both: BothEnds, number: string, birthDate: string) =>
  both.hub.portal.takeNumberStop({
    facility: FACILITY,
    number,
    birthDate,
    requester: 'person',
    erasureAsked: false,
    address: '192.0.2.7',
  })

async function stopped(both: BothEnds, number: string): Promise<boolean> {
  const { stops } = await patientStateOf(both.store.db as never, patientKey(FACILITY, number))
  return stops.length > 0
}

test('R16 T30 without the paper: number and birth date that match stop that chart at once, and no other', async () => {
  const both = await bothEnds()
  await ask(both, '0001', '1948-05-03')
  await both.talk()
  expect([await stopped(both, '0001'), await stopped(both, '0002')]).toEqual([true, false])
  expect(await openNameStops(both.store.db as never)).toEqual([])
  const charts = await both.hub.ops.db.selectFrom('stop_chart').select('patient').execute()
  expect(charts).toEqual([{ patient: `${FACILITY}/0001` }])
})

test('R16 R17 without the paper: another birth date stops nobody and waits on the counter’s list', async () => {
  const both = await bothEnds()
  await ask(both, '0001', '1948-05-04')
  await both.talk()
  expect([await stopped(both, '0001'), await stopped(both, '0002')]).toEqual([false, false])
  expect(await openNameStops(both.store.db as never)).toMatchObject([
    { asked: { name: '患者番号 0001', birthDate: '1948-05-04' }, candidates: [] },
  ])
})

test('R17 through both ends the state of a request is the same for a patient and for nobody', async () => {
  const both = await bothEnds()
  const asked = [await ask(both, '0001', '1948-05-03'), await ask(both, '7777', '1948-05-03')]
  for (let round = 0; round < 3; round += 1) {
    await both.talk()
    both.hub.env.pass(61_000)
  }
  await both.hub.vault.round()
  expect([await stopped(both, '0001'), await stopped(both, '0002')]).toEqual([true, false])
  const states = []
  for (const taken of asked)
    states.push(
      await both.hub.portal.stateOf({
        receipt: taken?.receipt ?? '',
        second: { birthDate: '1948-05-03' },
        address: '192.0.2.7',
      }),
    )
  expect(states[0]).toMatchObject({ passed: expect.any(String), held: expect.any(String), lifted: null })
  expect(states[0]).toEqual(states[1])
})
