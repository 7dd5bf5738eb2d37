import { afterEach, expect, test } from 'vitest'
import { chart, person, result } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

let both: BothEnds
afterEach(() => both.close())

const dated = (id: string, effectiveDateTime: string) => ({ ...result('0001', id), effectiveDateTime })

/** Stopped on 10 April, withdrawn on 20 April, notified afresh on 21 April, and that wait is over. */
async function resumed(): Promise<void> {
  both = await BothEnds.open()
  both.write('Patient.ndjson', [person('0001')])
  await both.agent.gather()
  await both.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  await both.pass(9)
  const { stop } = await both.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await both.pass(10)
  await both.agent.register.withdrawStop({ stop, by: 'desk', requester: 'person' })
  await both.pass(1)
  await both.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  await both.pass(40)
}

const RECORDS = [
  dated('before', '2026-04-05'),
  dated('inside', '2026-04-15T10:00:00+09:00'),
  dated('edge', '2026-04-20'),
  dated('after', '2026-05-02'),
  result('0001', 'undated'),
]

const held = async () =>
  (
    await both.hub.ops.db
      .selectFrom('landing')
      .select((e) => e.fn.countAll().as('n'))
      .executeTakeFirstOrThrow()
  ).n

test('R21 withdrawal: after a fresh notice and period nothing dated inside the stop leaves, and the dry run says how many', async () => {
  await resumed()
  both.write('Observation.ndjson', RECORDS)
  await both.agent.gather()
  const dry = await both.agent.dryRun()
  expect(dry).toMatchObject({ open: { patients: 1, records: 3 }, reconciles: true })
  expect(dry.reasons).toMatchObject([{ code: 'STOP_PERIOD', patients: 0, records: 3 }])
  const built = await both.agent.build()
  expect(built).toMatchObject({ records: 3, withheld: 3 })
  // withheld for good: nobody is read again for it
  expect((await both.agent.status()).toRead).toBe(0)
  await both.talk()
  expect(Number(await held())).toBe(3)
})
