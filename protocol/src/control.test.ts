import { expect, test } from 'vitest'
import { CONTROL_TYPES } from './control-shapes.ts'
import { openControl, readControlEnvelope, sealControl } from './control.ts'
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
