import { afterEach, expect, test } from 'vitest'
import type { HospitalHand } from '../hospital.fixture.ts'
import { patientState } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { takeNamedStop } from '../requests/intake.ts'

let hub: HubWorld
afterEach(() => hub.close())

/** The person whom the fixture’s hospital writes for chart 0001. */
const PERSON = {
  name: '患者0001 花子',
  kana: '',
  birthDate: '1970-03-03',
  number: null,
  requesterName: '',
  relation: null,
  contact: null,
}

async function codes(hand: HospitalHand, local: string, only: (text: string) => boolean): Promise<string[]> {
  const content = hand.content(patientState(hand.facility, local))
  const records = content.records.filter((one) => only(Buffer.from(one.payload).toString('utf8')))
  const sent = await hand.send({ ...content, records })
  await hub.vault.round()
  return (await hand.receiptOf(sent.header.batch))?.refusals.map((one) => one.code) ?? ['not decided']
}

test('R16 T25 a stop by name keeps out what comes after the Patient resource, too, in batches that name nobody', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await takeNamedStop(hub.parts, hub.identity, {
    person: PERSON,
    requester: 'person',
    channel: 'phone',
    facilities: null,
    tracks: null,
    identityCheck: 'none',
    erasureWanted: false,
    by: 'desk',
  })
  await hub.vault.round()
  await hand.acknowledge((await hand.mail()).map((one) => one.message))
  const isPatient = (text: string) => text.includes('"resourceType":"Patient"')
  expect(await codes(hand, '0001', isPatient)).toEqual(['STOPPED'])
  expect(await codes(hand, '0001', (text) => !isPatient(text))).toEqual(['STOPPED'])
  expect(await codes(hand, '0002', (text) => !isPatient(text))).toEqual([])
})
