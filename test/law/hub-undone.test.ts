import { hubWorld } from '@kakehashi/hub/hub.fixture'
import { patientState } from '@kakehashi/hub/hospital.fixture'
import { patientKey, stopId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'

/** A stop that never was this person's leaves nothing behind at the vault; one taken back asks for a fresh notice. */
test.each([
  ['R12 T28 undone or un-merged', true, []],
  ['R21 withdrawn', undefined, ['NOT_NOTIFIED']],
] as const)('%s: what the vault asks for afterwards', async (_, undone, refusals) => {
  const hub = await hubWorld()
  try {
    const hand = await hub.enrol('hospital-a')
    await hand.declare()
    const patients = [patientKey(hand.facility, '0001')]
    const stop = stopId('stop-1')
    const outcome = async (): Promise<string[]> => {
      const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
      await hub.vault.round()
      return (await hand.receiptOf(sent.header.batch))?.refusals.map((refusal) => refusal.code) ?? []
    }
    await hand.say({
      type: 'stop-reported',
      stop,
      patients,
      handles: [],
      tracks: null,
      operators: null,
      requester: 'person',
      askedAt: hub.env.now(),
      erasureAsked: false,
    })
    expect(await outcome()).toEqual(['STOPPED'])
    hub.env.pass(60_000)
    const ended = { type: 'stop-withdrawn-reported', stop, patients, withdrawnAt: hub.env.now() } as const
    await hand.say(undone ? { ...ended, undone } : ended)
    expect(await outcome()).toEqual(refusals)
  } finally {
    await hub.close()
  }
})
