import sodium from 'libsodium-wrappers'
import { expect, test } from 'vitest'
import {
  cosignCheckpoint,
  noteKeyHash,
  signCheckpoint,
  verifierKey,
  verifyCheckpoint,
  verifyCosignature,
} from './checkpoint.ts'
import { systemEnv } from './env.ts'
import { fromBase64, fromHex, newSigningKey, toHex } from './signing.ts'
import { vectors } from './vectors.ts'

interface CheckpointVectors {
  keyHash: { name: string; verifier: string; text: string; signature: string }
  origin: string
  public: string
  verifier: string
  witness: { name: string; public: string; at: string }
  size: number
  root: string
  note: string
  cosigned: string
  bad: { name: string; note: string }[]
}

const known = vectors<CheckpointVectors>('checkpoint')
const publicKey = fromHex(known.public)
const witnessKey = fromHex(known.witness.public)

test('key hash and signature agree with the reference implementation’s own example', () => {
  const { name, verifier, text, signature } = known.keyHash
  const [, hash, key] = verifier.split('+')
  const reference = fromBase64(key!).subarray(1)
  const blob = fromBase64(signature)
  expect(toHex(noteKeyHash(name, 1, reference))).toBe(hash)
  expect(toHex(blob.subarray(0, 4))).toBe(hash)
  expect(sodium.crypto_sign_verify_detached(blob.subarray(4), text, reference)).toBe(true)
  expect(verifierKey(name, reference)).toBe(verifier)
})

test('the good note verifies, with and without a witness', () => {
  for (const note of [known.note, known.cosigned]) {
    const read = verifyCheckpoint(note, known.origin, publicKey)
    expect(read?.size).toBe(known.size)
    expect(toHex(read!.root)).toBe(known.root)
  }
  expect(verifierKey(known.origin, publicKey)).toBe(known.verifier)
})

test('the witness’s signature verifies and tells its time', () => {
  const at = verifyCosignature(known.cosigned, known.witness.name, witnessKey)
  expect(at).toBe(Date.parse(known.witness.at))
  expect(verifyCosignature(known.note, known.witness.name, witnessKey)).toBeNull()
  expect(verifyCosignature(known.cosigned, 'other.example', witnessKey)).toBeNull()
  expect(verifyCosignature(known.cosigned, known.witness.name, publicKey)).toBeNull()
  const older = known.cosigned.replace('\n42\n', '\n41\n')
  expect(verifyCosignature(older, known.witness.name, witnessKey)).toBeNull()
})

test.each(known.bad)('refused: $name', ({ note }) => {
  expect(note).not.toBe(known.note)
  expect(verifyCheckpoint(note, known.origin, publicKey)).toBeNull()
})

test('another log or another key is refused', () => {
  expect(verifyCheckpoint(known.note, 'kakehashi.example/other', publicKey)).toBeNull()
  expect(verifyCheckpoint(known.note, known.origin, witnessKey)).toBeNull()
})

test('signs what it is asked and nothing that is no checkpoint', () => {
  const env = systemEnv()
  const key = newSigningKey(env)
  const root = env.random(32)
  const note = signCheckpoint('log.example', 0, root, key)
  expect(verifyCheckpoint(note, 'log.example', key.public)).toEqual({ size: 0, root })
  expect(() => signCheckpoint('two words', 1, root, key)).toThrow(TypeError)
  expect(() => signCheckpoint('log.example', -1, root, key)).toThrow(TypeError)
  expect(() => signCheckpoint('log.example', 1, root.subarray(1), key)).toThrow(TypeError)
  expect(() => cosignCheckpoint('not a note', 'witness', key, 0)).toThrow(TypeError)
})
