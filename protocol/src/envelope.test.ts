import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openBatch, peekHeader, sealBatch, verifyBatch, type BatchHeader } from './envelope.ts'
import { BATCH_SEALED_BYTES_MAX, RECORD_BYTES_MAX } from './limits.ts'
import type { BatchContent, SourceRecord } from './records.ts'
import { fitsEnvelope } from './record-shapes.ts'
import { Refused } from './refusals.ts'
import { fromBase64, fromHex, keyIdOf, sha256, sha256Hex, signBytes, type BoxKey } from './signing.ts'
import { vectorBytes, vectors } from './vectors.ts'
import { systemEnv } from './env.ts'

type HexKey = { public: string; secret: string }
type Op =
  | { op: 'xor'; at: number; with: number }
  | { op: 'set'; at: number; to: number }
  | { op: 'cut'; to: number }
  | { op: 'append'; hex: string }
  | { op: 'insert'; at: number; hex: string }
  | { op: 'remove'; at: number; length: number }
  | { op: 'swap'; a: number; b: number; length: number }
  | { op: 'copy'; from: number; to: number; length: number }
  | { op: 'sign' }

interface EnvelopeVectors {
  keys: Record<'signing' | 'vault' | 'recovery' | 'stranger' | 'otherSigner', HexKey>
  good: {
    small: {
      bytes: string
      digest: string
      header: BatchHeader
      content: BatchContent & { records: { payload: string }[] }
    }
    'three-chunks': { file: string; digest: string; header: BatchHeader }
  }
  altered: { name: string; of: 'small' | 'three-chunks'; ops: Op[]; verify?: string; open?: string }[]
  forged: { name: string; bytes: string; open: string | null }[]
}

const known = vectors<EnvelopeVectors>('envelope')
const key = (name: keyof EnvelopeVectors['keys']): BoxKey => {
  const bytes = fromHex(known.keys[name].public)
  return { id: keyIdOf(bytes), public: bytes, secret: fromHex(known.keys[name].secret) }
}
const [signing, vault, recovery] = [key('signing'), key('vault'), key('recovery')]
const small = fromBase64(known.good.small.bytes)
const three = vectorBytes(known.good['three-chunks'].file)

function refusal(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code
    throw error
  }
}

test('the good envelope verifies and opens for both recipients, payload bytes untouched', () => {
  const { digest, header, content } = known.good.small
  expect(sha256Hex(small)).toBe(digest)
  expect(peekHeader(small)).toEqual(header)
  expect(peekHeader(small.subarray(0, 1500))).toEqual(header)
  expect(verifyBatch(small, signing.public)).toEqual(header)
  const records = content.records.map((r) => ({ ...r, payload: fromBase64(r.payload as unknown as string) }))
  for (const recipient of [vault, recovery])
    expect(openBatch(small, recipient)).toEqual({ ...content, records })
})

test('the good envelope of three chunks verifies and opens', () => {
  expect(sha256Hex(three)).toBe(known.good['three-chunks'].digest)
  expect(verifyBatch(three, signing.public)).toEqual(known.good['three-chunks'].header)
  expect(openBatch(three, vault).records[0]?.payload).toHaveLength(140_000)
})

test.each(known.altered)('altered: $name', ({ of, ops, verify, open }) => {
  let bytes: Uint8Array = new Uint8Array(of === 'small' ? small : three)
  for (const op of ops) bytes = apply(bytes, op)
  expect(refusal(() => verifyBatch(bytes, signing.public))).toBe(verify ?? null)
  if (open !== undefined || verify === undefined) expect(refusal(() => openBatch(bytes, vault))).toBe(open)
})

test.each(known.forged)('forged: $name', ({ bytes, open }) => {
  const envelope = fromBase64(bytes)
  const verdict =
    refusal(() => verifyBatch(envelope, signing.public)) ?? refusal(() => openBatch(envelope, vault))
  expect(verdict).toBe(open)
})

test('another signer, another vault, another envelope size are refused', () => {
  expect(refusal(() => verifyBatch(small, key('otherSigner').public))).toBe('KEY_UNKNOWN')
  expect(refusal(() => openBatch(small, key('stranger')))).toBe('VAULT_KEY_UNKNOWN')
  const impostor = { ...key('stranger'), id: vault.id }
  expect(refusal(() => openBatch(small, impostor))).toBe('VAULT_KEY_UNKNOWN')
  const huge = new Uint8Array(BATCH_SEALED_BYTES_MAX + 1)
  huge.set(small)
  expect(refusal(() => verifyBatch(huge, signing.public))).toBe('ENVELOPE_TOO_LARGE')
  expect(refusal(() => openBatch(huge, vault))).toBe('ENVELOPE_TOO_LARGE')
})

function apply(bytes: Uint8Array, op: Op): Uint8Array {
  const copy = new Uint8Array(bytes)
  switch (op.op) {
    case 'xor':
      copy[op.at] = copy[op.at]! ^ op.with
      return copy
    case 'set':
      copy[op.at] = op.to
      return copy
    case 'cut':
      return copy.subarray(0, op.to)
    case 'append':
      return joined(copy, fromHex(op.hex))
    case 'insert':
      return joined(copy.subarray(0, op.at), fromHex(op.hex), copy.subarray(op.at))
    case 'remove':
      return joined(copy.subarray(0, op.at), copy.subarray(op.at + op.length))
    case 'swap':
      copy.set(bytes.subarray(op.a, op.a + op.length), op.b)
      copy.set(bytes.subarray(op.b, op.b + op.length), op.a)
      return copy
    case 'copy':
      copy.set(bytes.subarray(op.from, op.from + op.length), op.to)
      return copy
    case 'sign':
      return signedAgain(copy)
  }
}

function signedAgain(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 64
  const front = bytes.subarray(0, 12 + Buffer.from(bytes).readUInt32BE(8))
  const stream = bytes.subarray(front.length, end)
  const signature = signBytes('batch/1', joined(sha256(front), sha256(stream)), signing)
  return joined(bytes.subarray(0, end), signature)
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

const env = systemEnv()
const about = {
  batch: known.good.small.header.batch,
  agent: known.good.small.header.agent,
  facility: known.good.small.header.facility,
  operator: known.good.small.header.operator,
  track: 'ANON',
  sequence: 1,
  ruleVersion: '2024-04-01.1',
  createdAt: 0,
} as const
const seal = (content: BatchContent) => sealBatch(content, about, { signing, recipients: [vault] }, env)

const NAME = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((s) => s.isWellFormed())
const records = fc.array(
  fc.record({
    key: fc.record({ source: NAME, type: NAME, id: NAME }),
    payload: fc.uint8Array({ maxLength: 3000 }),
    patients: fc.subarray(['hp/1', 'hp/2', 'hp/００３']),
    item: fc.constantFrom('laboratory', 'image', 'other'),
    security: fc.array(NAME, { maxLength: 3 }),
  }),
  { maxLength: 12 },
)

function contentOf(drawn: typeof records extends fc.Arbitrary<infer T> ? T : never): BatchContent {
  const list = drawn.map(({ key: recordKey, payload, patients, item, security }) => ({
    key: recordKey,
    contentHash: sha256Hex(payload),
    patients,
    item,
    labels: { security, tags: [] },
    mediaType: 'application/octet-stream',
    payload: new Uint8Array(payload),
    provenance: { run: 'r' },
  }))
  return { evidence: [], records: list as unknown as SourceRecord[], tombstones: [] }
}

test('whatever is sealed opens to the same', () => {
  fc.assert(
    fc.property(records, (drawn) => {
      const content = contentOf(drawn)
      const sealed = seal(content)
      expect(verifyBatch(sealed.bytes, signing.public)).toEqual(sealed.header)
      expect(openBatch(sealed.bytes, vault)).toEqual(content)
    }),
    { numRuns: 60 },
  )
})

test('any flipped bit is refused, and nothing but Refused is thrown', () => {
  fc.assert(
    fc.property(fc.nat({ max: small.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const bytes = new Uint8Array(small)
      bytes[at] = bytes[at]! ^ mask
      expect(refusal(() => verifyBatch(bytes, signing.public))).not.toBeNull()
      refusal(() => openBatch(bytes, vault))
    }),
    { numRuns: 400 },
  )
})

test('arbitrary bytes, and arbitrary bytes behind a good front, throw nothing but Refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: small.length }), (noise, keep) => {
      for (const bytes of [noise, joined(small.subarray(0, keep), noise)]) {
        refusal(() => peekHeader(bytes))
        refusal(() => openBatch(bytes, vault))
        if (bytes.length !== small.length)
          expect(refusal(() => verifyBatch(bytes, signing.public))).not.toBeNull()
      }
    }),
    { numRuns: 200 },
  )
})

test('a record or batch over its limit is refused when sealing', () => {
  const big = contentOf([
    {
      key: { source: 's', type: 't', id: 'i' },
      payload: new Uint8Array(RECORD_BYTES_MAX + 1),
      patients: [],
      item: 'other',
      security: [],
    },
  ])
  expect(refusal(() => seal(big))).toBe('ENVELOPE_TOO_LARGE')
  const [one] = contentOf([
    {
      key: { source: 's', type: 't', id: 'i' },
      payload: new Uint8Array(RECORD_BYTES_MAX - 1000),
      patients: [],
      item: 'other',
      security: [],
    },
  ]).records
  const heavy = { evidence: [], records: [one!, one!, one!], tombstones: [] }
  expect(refusal(() => seal(heavy))).toBe('ENVELOPE_TOO_LARGE')
  const many = {
    evidence: [],
    records: Array.from({ length: 20_001 }, () => ({ ...one!, payload: new Uint8Array() })),
    tombstones: [],
  }
  expect(refusal(() => seal(many))).toBe('ENVELOPE_TOO_LARGE')
})

test('what the reader would refuse is refused when sealing, by its place', () => {
  const good = contentOf([
    {
      key: { source: 's', type: 't', id: 'i' },
      payload: new Uint8Array(3),
      patients: ['hp/1'],
      item: 'other',
      security: [],
    },
  ])
  const [record] = good.records
  const odd = { ...record!, patients: ['1'] } as unknown as SourceRecord
  expect(() => seal({ ...good, records: [record!, odd] })).toThrow('ENVELOPE_MALFORMED at record 1')
  expect([fitsEnvelope(record!), fitsEnvelope(odd)]).toEqual([true, false])
  const nameless = { ...record!, labels: { security: ['x'.repeat(9000)], tags: [] } }
  expect(fitsEnvelope(nameless)).toBe(false)
  const content = known.good.small.content
  const evidence = [{ ...content.evidence[0]!, state: { ...content.evidence[0]!.state, latestSeen: 0.5 } }]
  expect(() => seal({ ...good, evidence })).toThrow('ENVELOPE_MALFORMED at evidence 0')
  const tombstones = [{ ...content.tombstones[0]!, reason: 'lost' as never }]
  expect(() => seal({ ...good, tombstones })).toThrow('ENVELOPE_MALFORMED at tombstone 0')
})

test('one seed gives one envelope: randomness comes from env alone', () => {
  const fixed = () => {
    let n = 0
    return { ...env, random: (size: number) => new Uint8Array(size).fill(++n) }
  }
  const content = contentOf([])
  const once = sealBatch(content, about, { signing, recipients: [vault, recovery] }, fixed())
  const again = sealBatch(content, about, { signing, recipients: [vault, recovery] }, fixed())
  expect(again.digest).toBe(once.digest)
  expect(openBatch(once.bytes, recovery)).toEqual(content)
})
