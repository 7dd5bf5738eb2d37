import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState } from '../hospital.fixture.ts'
import { hubStatus, statusLines } from './status.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

test('T56 whatever goes wrong with a patient, neither log, status nor audit leaf names the patient', async () => {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const number = '99887766'
  const chart = `hospital-a/${number}`
  await hand.send(hand.content(patientState(hand.facility, number)))
  await hub.vault.round()
  await hand.send(hand.content(patientState(hand.facility, number, { notices: [] })))
  await hand.say({ type: 'erasure-requested', patients: [chart], stop: null, askedAt: hub.env.now() })
  await hub.vault.round()
  await hand.say({ type: 'erasure-requested', patients: [`hospital-b/${number}`], stop: null, askedAt: 1 })
  await hand.send(hand.content(patientState(hand.facility, number)))
  await hub.vault.round()
  const place = hub.parts.rooms.places[0]!
  const broken = { ...place, erase: async () => Promise.reject(new Error(`cannot erase ${chart}`)) }
  hub.parts.rooms = { ...hub.parts.rooms, places: [broken] }
  await hand.say({ type: 'erasure-requested', patients: [chart], stop: null, askedAt: hub.env.now() })
  await expect(hub.vault.round()).rejects.toThrow('cannot erase')
  const leaves = await hub.ops.db.selectFrom('audit_leaf').select('leaf').execute()
  const incidents = await hub.ops.db.selectFrom('incident').selectAll().execute()
  const said = [
    ...hub.logs,
    ...leaves.map(({ leaf }) => new TextDecoder().decode(leaf)),
    ...statusLines(await hubStatus(hub.ops)),
    JSON.stringify(incidents),
  ].join('\n')
  expect(said).toContain('hospital-a')
  expect(said).not.toContain(number)
  expect(said).not.toContain('花子')
})

test('R50 every agent is told the operator’s standing and shown the audit log daily, and at once when it enrols', async () => {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hub.vault.round()
  const first = await hand.mail()
  expect(first.map((one) => one.type)).toContain('operator-status')
  hub.env.pass(25 * 3600 * 1000)
  await hub.vault.round()
  const mail = (await hand.mail()).slice(first.length)
  expect(mail.map((one) => one.type)).toEqual(['operator-status', 'checkpoint-shown', 'declaration-known'])
  expect(mail[0]).toMatchObject({ standing: 'certified', tracks: ['ANON'], asOf: hub.env.now() })
})
