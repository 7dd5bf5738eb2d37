import { afterEach, expect, test } from 'vitest'
import { markErased } from '../content/erase.ts'
import { settle } from '../content/settle.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { verifyCertificate, type ErasureCertificate } from './certificate.ts'

const worlds: HubWorld[] = []
async function world(): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  return { hub, hand }
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function outcome(hub: HubWorld, hand: HospitalHand, ...locals: string[]): Promise<string[]> {
  const states = locals.map((local) => patientState(hand.facility, local))
  const sent = await hand.send(hand.content(...states))
  await hub.vault.round()
  return (await hand.receiptOf(sent.header.batch))?.refusals.map((refusal) => refusal.code) ?? []
}

async function erased(): Promise<{ hub: HubWorld; hand: HospitalHand; certificate: ErasureCertificate }> {
  const { hub, hand } = await world()
  expect(await outcome(hub, hand, '0001', '0002')).toEqual([])
  await settle(hub.content)
  expect(await outcome(hub, hand, '0003')).toEqual([])
  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-a/0001'],
    stop: null,
    askedAt: hub.env.now(),
  })
  await hub.vault.round()
  const row = await hub.ops.db.selectFrom('erasure').selectAll().executeTakeFirstOrThrow()
  return { hub, hand, certificate: JSON.parse(row.certificate ?? '') }
}

test('R20 an erasure leaves the person nowhere, destroys keys, tells the agent, and its certificate verifies with the public key alone', async () => {
  const { hub, hand, certificate } = await erased()
  const core = verifyCertificate(certificate, hub.parts.keys.audit.public)
  expect(core).toMatchObject({
    erasure: certificate.core.erasure,
    charts: [expect.stringMatching(/^[0-9a-f]{64}$/)],
  })
  expect(certificate.core.keysDestroyed.length).toBeGreaterThan(0)
  const places = certificate.core.places.filter((place) => place.count > 0).map((place) => place.place)
  expect(places).toContain('identity/chart')
  expect(places.some((place) => place.startsWith('content/partition-'))).toBe(true)
  const done = (await hand.mail()).find((one) => one.type === 'erasure-done')
  expect(done).toMatchObject({ patients: ['hospital-a/0001'] })
  expect(await everything(hub)).not.toContain('hospital-a/0001')
  expect(await everything(hub)).toContain('hospital-a/0002')
})

test('R20 a certificate altered in any part does not verify', async () => {
  const { hub, certificate } = await erased()
  const key = hub.parts.keys.audit.public
  const changed = { ...certificate, core: { ...certificate.core, places: [] } }
  expect(verifyCertificate(changed, key)).toBe('signature')
  expect(verifyCertificate({ ...certificate, index: certificate.index + 1 }, key)).toBe('inclusion')
  expect(verifyCertificate({ ...certificate, leaf: btoa('{}') }, key)).toBe('leaf')
  expect(verifyCertificate(certificate, hub.parts.keys.signing.public)).toBe('signature')
  expect(verifyCertificate({ core: 1 }, key)).toBe('form')
})

/** Every text of every row of the vault's two stores. */
async function everything(hub: HubWorld): Promise<string> {
  const texts: string[] = []
  const ops = [
    'admitted_version',
    'patient_handle',
    'stop_chart',
    'batch_refusal',
    'erasure',
    'landing',
    'content_record',
    'content_about',
    'audit_leaf',
    'cursor',
  ] as const
  for (const table of ops) texts.push(dump(await hub.ops.db.selectFrom(table).selectAll().execute()))
  const identity = [
    'identity_source',
    'identity_patient',
    'identity_insurance',
    'link',
    'link_decision',
    'link_review',
    'audit_leaf',
  ] as const
  for (const table of identity)
    texts.push(dump(await hub.identity.db.selectFrom(table).selectAll().execute()))
  return texts.join('\n')
}

function dump(rows: unknown[]): string {
  return JSON.stringify(rows, (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  )
}

test('T32 a restored backup that still knows an erased person forgets again before it serves', async () => {
  const { hub, hand } = await world()
  expect(await outcome(hub, hand, '0001', '0002')).toEqual([])
  const backup = await snapshot(hub)
  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-a/0001'],
    stop: null,
    askedAt: hub.env.now(),
  })
  await hub.vault.round()
  await restore(hub, backup)
  expect(await everything(hub)).toContain('hospital-a/0001')
  hub.env.pass(24 * 3600 * 1000)
  expect(await hub.vault.start()).toEqual({ replayed: 1, stops: 0 })
  expect(await everything(hub)).not.toContain('hospital-a/0001')
  expect(await everything(hub)).toContain('hospital-a/0002')
  expect(await outcome(hub, hand, '0001')).toEqual(['ERASED'])
  expect(await hub.vault.start()).toEqual({ replayed: 0, stops: 0 })
})

const OPS = [
  'admitted_version',
  'patient_handle',
  'content_key',
  'content_record',
  'content_counter',
  'landing',
  'content_erased',
  'tombstone',
  'erasure',
] as const
const IDENTITY = ['identity_patient', 'identity_source', 'identity_erased'] as const
type Snapshot = Map<string, Record<string, unknown>[]>

async function snapshot(hub: HubWorld): Promise<Snapshot> {
  const kept: Snapshot = new Map()
  for (const table of OPS) kept.set(table, await hub.ops.db.selectFrom(table).selectAll().execute())
  for (const table of IDENTITY) kept.set(table, await hub.identity.db.selectFrom(table).selectAll().execute())
  return kept
}

/** The tables as they were in the backup; foreign keys make the order matter. */
async function restore(hub: HubWorld, backup: Snapshot): Promise<void> {
  for (const table of OPS.toReversed()) await hub.ops.db.deleteFrom(table).execute()
  for (const table of OPS)
    for (const row of backup.get(table) ?? [])
      await hub.ops.db
        .insertInto(table)
        .values(row as never)
        .execute()
  for (const table of IDENTITY) await hub.identity.db.deleteFrom(table).execute()
  for (const table of IDENTITY)
    for (const row of backup.get(table) ?? [])
      await hub.identity.db
        .insertInto(table)
        .values(row as never)
        .execute()
}

test('T35 evidence survives an erasure: record of receipt and tombstone stay, without clinical content', async () => {
  const { hub } = await erased()
  expect(await hub.ops.db.selectFrom('receipt_record').selectAll().execute()).toHaveLength(2)
  expect(await hub.ops.db.selectFrom('tombstone').selectAll().execute()).toHaveLength(1)
})

test('an erasure broken off by a crash is taken up again and ends once', async () => {
  const { hub, hand } = await world()
  expect(await outcome(hub, hand, '0001')).toEqual([])
  const [identity, content] = hub.parts.rooms.places
  const broken = {
    ...hub.parts.rooms,
    places: [identity!, { ...content!, erase: async () => Promise.reject(new Error('power')) }],
  }
  const whole = hub.parts.rooms
  hub.parts.rooms = broken
  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-a/0001'],
    stop: null,
    askedAt: hub.env.now(),
  })
  await expect(hub.vault.round()).rejects.toThrow('power')
  hub.parts.rooms = whole
  await hub.vault.round()
  expect(hub.erasures).toHaveLength(1)
  expect(await everything(hub)).not.toContain('hospital-a/0001')
  expect(await outcome(hub, hand, '0001')).toEqual(['ERASED'])
})

test('R20 a certificate after a crash names every key that was destroyed and every record removed, whichever run did it', async () => {
  const { hub, hand } = await world()
  expect(await outcome(hub, hand, '0001', '0002')).toEqual([])
  await settle(hub.content)
  const living = async () =>
    (await hub.ops.db.selectFrom('content_key').select('id').where('destroyed_at', 'is', null).execute()).map(
      (row) => row.id,
    )
  const before = await living()
  const whole = hub.parts.rooms
  const [identity, content, ...others] = whole.places
  // marked for removal, and the power fails before any file is written anew
  const dies = async (...asked: Parameters<NonNullable<typeof content>['erase']>): Promise<never> => {
    await hub.content.store.bookkeep((tx) => markErased(tx, hub.content, ...asked))
    throw new Error('power')
  }
  hub.parts.rooms = { ...whole, places: [identity!, { ...content!, erase: dies }, ...others] }
  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-a/0001'],
    stop: null,
    askedAt: hub.env.now(),
  })
  await expect(hub.vault.round()).rejects.toThrow('power')
  // the settling takes the file up before the erasure is: the key dies there
  await settle(hub.content)
  const after = new Set(await living())
  const gone = before.filter((id) => !after.has(id))
  expect(gone.length).toBeGreaterThan(0)
  hub.parts.rooms = whole
  await hub.vault.round()
  const row = await hub.ops.db.selectFrom('erasure').selectAll().executeTakeFirstOrThrow()
  const { core } = JSON.parse(row.certificate ?? '') as ErasureCertificate
  expect(core.keysDestroyed).toEqual(expect.arrayContaining(gone))
  const removed = core.places.filter((place) => place.count > 0).map((place) => place.place)
  expect(removed).toContain('identity/chart')
  expect(removed.some((place) => place.startsWith('content/partition-'))).toBe(true)
})
