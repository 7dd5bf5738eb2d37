import { stopId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { sourceRecord } from '../content/records.fixture.ts'
import { hubWorld } from '../hub.fixture.ts'
import { notice, patientState } from '../hospital.fixture.ts'

test('R21 the vault refuses what is dated inside a withdrawn stop by its own list, keeps the rest, and raises no incident', async () => {
  const hub = await hubWorld('2026-09-01T12:00:00+09:00')
  try {
    const hand = await hub.enrol('hospital-a')
    await hand.declare()
    const at = (day: string): number => Date.parse(`${day}T09:00:00+09:00`)
    // the evidence says nothing of the stop: the agent forgot it
    const state = patientState(hand.facility, '0001', {
      notices: [notice({ deliveredAt: at('2026-07-01') })],
    })
    const about = { stop: stopId('stop-1'), patients: [state.patient] }
    const scope = { handles: [], tracks: null, operators: null, requester: 'person', erasureAsked: false }
    await hand.say({ type: 'stop-reported', ...about, ...scope, askedAt: at('2026-06-01') })
    await hand.say({ type: 'stop-withdrawn-reported', ...about, withdrawnAt: at('2026-06-20') })
    const dated = (id: string, effectiveDateTime?: string) =>
      sourceRecord(state.patient, {
        resourceType: 'Observation',
        id,
        status: 'final',
        subject: { reference: 'Patient/p-0001' },
        ...(effectiveDateTime === undefined ? {} : { effectiveDateTime }),
      })
    const records = [
      ...hand.records(state).slice(0, 1),
      dated('before', '2026-05-20'),
      dated('inside', '2026-06-10'),
      dated('after', '2026-06-21'),
      dated('undated'),
    ]
    const sent = await hand.send({ ...hand.content(state), records })
    await hub.vault.round()
    const receipt = await hand.receiptOf(sent.header.batch)
    expect(receipt).toMatchObject({ outcome: 'partly', accepted: 3 })
    expect(receipt?.refusals.map(({ code, record }) => [code, record?.split('|').at(-1)])).toEqual([
      ['STOP_PERIOD', 'inside'],
      ['STOP_PERIOD', 'undated'],
    ])
    expect(await hub.ops.db.selectFrom('incident').select('kind').execute()).toEqual([])
  } finally {
    await hub.close()
  }
})
