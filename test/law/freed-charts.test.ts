import { takeNamedStop, type NamedAsk } from '@kakehashi/hub/requests/intake'
import { replayStops } from '@kakehashi/hub/requests/replay'
import { afterEach, expect, test } from 'vitest'
import { chart, person, result } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

let both: BothEnds
afterEach(() => both.close())

const NAME = [{ use: 'official', family: '山田', given: ['太郎'] }]
const NUMBERS = ['0001', '0002', '0003']

const CALLED: NamedAsk = {
  person: {
    ...{ name: '山田太郎', kana: '', birthDate: '1950-06-01', number: null },
    ...{ requesterName: '山田太郎', relation: null, contact: null },
  },
  ...{ requester: 'person', channel: 'phone', facilities: null, tracks: null },
  ...{ identityCheck: 'none', erasureWanted: false, by: 'desk' },
}

/** Two of one name and birth date; what they have is at the hub. */
async function namesakes(): Promise<void> {
  both = await BothEnds.open()
  both.write(
    'Patient.ndjson',
    NUMBERS.map((n) => (n === '0003' ? person(n) : { ...person(n), name: NAME })),
  )
  write()
  await both.agent.gather()
  for (const number of NUMBERS)
    await both.agent.register.recordNotice({ patient: chart(number), by: 'desk', withToken: true })
  await both.pass(35)
  await send()
}

function write(value = 5.6): void {
  both.write(
    'Observation.ndjson',
    NUMBERS.map((n) => result(n, `o${n}`, value)),
  )
}

async function send(): Promise<void> {
  await both.agent.gather()
  await both.agent.build()
  await both.talk()
}

const stoppedAtHub = async () =>
  (
    await both.hub.ops.db
      .selectFrom('stop_chart as c')
      .innerJoin('stop as s', 's.stop', 'c.stop')
      .select('c.patient')
      .distinct()
      .where('s.standing', 'in', ['provisional', 'confirmed'])
      .execute()
  )
    .map((row) => row.patient)
    .toSorted()
const newest = async () =>
  (await both.hub.ops.db.selectFrom('content_record').select(['owner', 'version']).execute())
    .filter((row) => Number(row.version) > 1)
    .map((row) => row.owner)
    .toSorted()
const refused = async () =>
  (await both.hub.ops.db.selectFrom('batch_refusal').select('code').execute()).map((row) => row.code)

test('R12 T29 who only bears the name of a stop at the operator is free there, too, when two people at the hospital settled it', async () => {
  await namesakes()
  const stop = await takeNamedStop(both.hub.parts, both.hub.identity, CALLED)
  await both.talk()
  await both.talk()
  expect(await stoppedAtHub()).toEqual([chart('0001'), chart('0002')])
  await both.agent.register.settleNameStop({
    ...{ stop, outcome: 'found', patient: chart('0001'), by: 'desk', approvedBy: 'office' },
  })
  await both.talk()
  expect(await stoppedAtHub()).toEqual([chart('0001')])
  write(7.7)
  await both.agent.gather()
  await both.pass(1)
  await send()
  expect(await refused()).toEqual([])
  expect(await newest()).toEqual([chart('0002'), chart('0003')])
  // seen again by the second gate, which knows the name, and said again by the same call: it stays free
  both.write('Patient.ndjson', [{ ...person('0002'), name: NAME, gender: 'male' } as never, person('0003')])
  await send()
  expect(await refused()).toEqual([])
  await takeNamedStop(both.hub.parts, both.hub.identity, { ...CALLED, stop })
  expect(await stoppedAtHub()).toEqual([chart('0001')])
  // what is kept outside the database says the same after a restore
  await both.hub.ops.bookkeep(async (tx) => {
    for (const table of [
      'stop_freed',
      'stop_hash',
      'stop_chart',
      'stop_delivery',
      'stop_name',
      'stop',
    ] as const)
      await tx.deleteFrom(table).execute()
  })
  await replayStops(both.hub.parts, NUMBERS.map(chart))
  const again = await both.hub.ops.db
    .selectFrom('stop_chart')
    .select('patient')
    .where('stop', '=', stop)
    .execute()
  expect(again.map((row) => row.patient)).toEqual([chart('0001')])
})

test('R12 nothing is freed of a stop whose charts somebody at the operator chose, nor of another hospital’s chart', async () => {
  await namesakes()
  const { stopByStaff } = await import('@kakehashi/hub/requests/stop')
  const { freeCharts } = await import('@kakehashi/hub/requests/freed')
  const chosen = await stopByStaff(both.hub.parts, {
    ...{ patients: [chart('0001')], handles: [], requester: 'person', standing: 'confirmed' },
    ...{ erasureAsked: false, by: 'staff-1' },
  })
  await both.hub.ops.bookkeep((tx) =>
    freeCharts(tx, both.hub.parts, { stop: chosen, patients: [chart('0001')], freedAt: 1 }),
  )
  expect(await stoppedAtHub()).toEqual([chart('0001')])
})
