import { endElsewhere } from '@kakehashi/hub/requests/left-stop'
import { elsewhereStop, patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { FACILITY, person } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

test('R18 R21 every hospital, asked at one counter: the operator holds it, and ends it only after the person took it back there', async () => {
  const both = await BothEnds.open()
  try {
    both.write('Patient.ndjson', [person('0001', '1948-05-03')])
    await both.agent.gather()
    const { register } = both.agent
    const { stop } = await register.recordStop({
      patient: patientKey(FACILITY, '0001'),
      hospitals: 'all',
      erasureAsked: true,
      by: 'desk',
    })
    await both.talk()
    const held = () =>
      both.hub.ops.db
        .selectFrom('stop as s')
        .innerJoin('stop_intake as i', 'i.stop', 's.stop')
        .select(['s.stop', 's.standing', 'i.erasure_wanted'])
        .execute()
    const elsewhere = elsewhereStop(stop)
    expect(await held()).toEqual([{ stop: elsewhere, standing: 'provisional', erasure_wanted: 1 }])
    // the asking hospital's own chart is its own stop's, not this one's
    const charts = await both.hub.ops.db.selectFrom('stop_hash').select('stop').execute()
    expect(charts).toEqual([{ stop }])
    const end = () => endElsewhere(both.hub.parts, { stop: elsewhere, by: 'desk' })
    await expect(end()).rejects.toMatchObject({ refusal: { place: 'withdrawal' } })
    both.hub.env.pass(3_600_000)
    await register.withdrawStop({
      ...{ stop, elsewhere: true, requester: 'person', identityCheck: 'document', by: 'desk' },
    })
    await both.talk()
    expect((await held())[0]?.standing).toBe('provisional')
    await end()
    expect((await held())[0]?.standing).toBe('withdrawn')
  } finally {
    await both.close()
  }
})
