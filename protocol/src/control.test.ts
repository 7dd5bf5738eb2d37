import { expect, test } from 'vitest'
import { CONTROL_TYPES } from './control-shapes.ts'
import {
  openControl,
  openSignedControl,
  readControlEnvelope,
  sealControl,
  unknownControl,
} from './control.ts'
import { systemEnv } from './env.ts'
import { agentId } from './ids.ts'
import type { Control, ControlEnvelope } from './messages.ts'
import { Refused } from './refusals.ts'
import { fromHex, keyIdOf, newBoxKey, newSigningKey, type BoxKey } from './signing.ts'
import { vectors } from './vectors.ts'

interface ControlVectors {
  keys: { inbox: { public: string; secret: string }; sender: { public: string } }
  good: { envelope: ControlEnvelope; body: Control }
  bad: { name: string; envelope: ControlEnvelope }[]
  newer: { member: ControlEnvelope; type: ControlEnvelope }
  bodies: Control[]
}

const known = vectors<ControlVectors>('control')
const inbox: BoxKey = {
  id: keyIdOf(fromHex(known.keys.inbox.public)),
  public: fromHex(known.keys.inbox.public),
  secret: fromHex(known.keys.inbox.secret),
}
const sender = fromHex(known.keys.sender.public)

test('the good envelope opens to its message', () => {
  expect(openControl(known.good.envelope, inbox, sender)).toEqual(known.good.body)
})

test.each(known.bad)('refused: $name', ({ envelope }) => {
  expect(openControl(envelope, inbox, sender)).toBeNull()
})

test.each(known.bodies)('$type travels and arrives as it was', (body) => {
  const env = systemEnv()
  const [signer, box] = [newSigningKey(env), newBoxKey(env)]
  const to = { agent: agentId('agent-1'), direction: 'up', recipient: box } as const
  for (const source of [undefined, env]) {
    const envelope = sealControl(body, to, signer, source)
    expect(Buffer.from(envelope.box, 'base64').includes('"message"')).toBe(false)
    expect(openControl(envelope, box, signer.public)).toEqual(body)
    expect(openControl(envelope, newBoxKey(env), signer.public)).toBeNull()
    expect(openControl(envelope, box, newSigningKey(env).public)).toBeNull()
  }
})

test('there is a vector for every type of message', () => {
  expect([...new Set(known.bodies.map((body) => body.type))].toSorted()).toEqual(CONTROL_TYPES.toSorted())
})

test('S14 a message of a newer version with a member more is understood, and its signature still checks', () => {
  const signed = openSignedControl(known.newer.member, inbox, sender)
  expect(signed?.body).toMatchObject({ ...known.good.body, reason: 'none' })
  expect(openControl(known.newer.member, inbox, newSigningKey(systemEnv()).public)).toBeNull()
  expect(unknownControl(known.newer.member, inbox, sender)).toBeNull()
})

test('S14 a type that nobody knows yet is told from a forgery', () => {
  const { type } = known.newer
  expect(openControl(type, inbox, sender)).toBeNull()
  expect(unknownControl(type, inbox, sender)).toBe('of-tomorrow')
  expect(unknownControl(type, inbox, newSigningKey(systemEnv()).public)).toBeNull()
  expect(unknownControl({ ...type, agent: agentId('agent-2') }, inbox, sender)).toBeNull()
  const unknown = known.bad.filter(({ envelope }) => unknownControl(envelope, inbox, sender) !== null)
  expect(unknown.map(({ name }) => name)).toEqual(['type nobody knows'])
  const env = systemEnv()
  const [signer, box] = [newSigningKey(env), newBoxKey(env)]
  const to = { agent: agentId('agent-1'), direction: 'up', recipient: box } as const
  for (const body of known.bodies)
    expect(unknownControl(sealControl(body, to, signer), box, signer.public)).toBeNull()
})

test('a message over the limit is refused, not cut', () => {
  const env = systemEnv()
  const to = { agent: agentId('agent-1'), direction: 'down', recipient: newBoxKey(env) } as const
  const refusals = Array.from({ length: 5000 }, (_, i) => ({
    code: 'STOPPED' as const,
    patient: null,
    record: `source|Observation|${i}`.padEnd(64, '0'),
  }))
  const receipt = { ...known.bodies.find((body) => body.type === 'receipt')!, refusals } as Control
  expect(() => sealControl(receipt, to, newSigningKey(env))).toThrow(Refused)
})

test('what is no envelope is read as none', () => {
  for (const value of [null, 1, 'x', [], {}, { ...known.good.envelope, box: 'A'.repeat(400_000) }])
    expect(readControlEnvelope(value)).toBeNull()
  expect(readControlEnvelope(known.good.envelope)).toEqual(known.good.envelope)
})
