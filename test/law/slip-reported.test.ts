import { openSlips } from '@kakehashi/agent/register/slip'
import { newStopToken } from '@kakehashi/protocol/stop-handle'
import { patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { FACILITY, person } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'

test('R13 R16 T25 a stop at the operator: the hospital hands its document over, and the operator hears of it and of its return', async () => {
  const both = await BothEnds.open()
  try {
    both.write('Patient.ndjson', [person('0001', '1948-05-03')])
    await both.agent.gather()
    const { token } = await both.agent.register.recordNotice({
      ...{ patient: patientKey(FACILITY, '0001'), by: 'desk', withToken: true },
    })
    const asked = { requester: 'person', erasureAsked: false, address: '192.0.2.7' } as const
    await both.hub.portal.takeStop({ token: token ?? newStopToken(both.hub.env), ...asked })
    await both.talk()
    const db = both.store.db as never
    const [task] = await openSlips(db, both.hub.env.now())
    const { number, stop } = task!.slip
    const told = async () => {
      await both.talk()
      return both.hub.ops.db
        .selectFrom('slip_move')
        .select(['stop', 'facility', 'document', 'move'])
        .execute()
    }
    expect(await told()).toEqual([])
    await both.agent.register.handSlip({ number, by: 'desk', how: 'posted', addressAgreed: true })
    const document = { stop, facility: FACILITY, document: number }
    expect(await told()).toEqual([{ ...document, move: 'posted' }])
    both.hub.env.pass(60_000)
    await both.agent.register.bounceSlip({ number, by: 'desk' })
    expect(await told()).toEqual([{ ...document, move: 'bounced' }])
    both.hub.env.pass(60_000)
    await both.agent.register.handSlip({ number, by: 'desk' })
    expect(await told()).toEqual([{ ...document, move: 'handed' }])
  } finally {
    await both.close()
  }
})
