import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  consistencyProof,
  Frontier,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
import { fromHex, sha256, toHex } from './signing.ts'
import { vectors } from './vectors.ts'

interface MerkleVectors {
  leaves: string[]
  empty: string
  roots: string[]
  inclusion: { index: number; size: number; proof: string[] }[]
  consistency: { from: number; to: number; proof: string[] }[]
}

const known = vectors<MerkleVectors>('merkle')
const knownHashes = known.leaves.map((leaf) => leafHash(fromHex(leaf)))

test('roots of the reference implementation', () => {
  expect(toHex(rootOf([]))).toBe(known.empty)
  expect(known.roots).toHaveLength(8)
  for (const [i, root] of known.roots.entries()) expect(toHex(rootOf(knownHashes.slice(0, i + 1)))).toBe(root)
})

test.each(known.inclusion)('inclusion of leaf $index in $size', ({ index, size, proof }) => {
  const hashes = knownHashes.slice(0, size)
  expect(inclusionProof(hashes, index).map(toHex)).toEqual(proof)
  const root = fromHex(known.roots[size - 1]!)
  expect(verifyInclusion(hashes[index]!, index, size, proof.map(fromHex), root)).toBe(true)
})

test.each(known.consistency)('consistency from $from to $to', ({ from, to, proof }) => {
  expect(consistencyProof(knownHashes.slice(0, to), from).map(toHex)).toEqual(proof)
  const [oldRoot, newRoot] = [fromHex(known.roots[from - 1]!), fromHex(known.roots[to - 1]!)]
  expect(verifyConsistency(from, to, oldRoot, newRoot, proof.map(fromHex))).toBe(true)
})

/** The definition of RFC 9162 §2.1.1, word for word, to compare the fast one with. */
function plainRoot(hashes: Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256()
  if (hashes.length === 1) return hashes[0]!
  let k = 1
  while (k * 2 < hashes.length) k *= 2
  return sha256(new Uint8Array([1]), plainRoot(hashes.slice(0, k)), plainRoot(hashes.slice(k)))
}

const log = (size: number): Uint8Array[] =>
  Array.from({ length: size }, (_, i) => leafHash(new Uint8Array([i >> 8, i])))

test('every size up to 40: root, every inclusion and consistency proof verifies', () => {
  for (let size = 1; size <= 40; size++) {
    const hashes = log(size)
    const root = rootOf(hashes)
    expect(toHex(root)).toBe(toHex(plainRoot(hashes)))
    for (let i = 0; i < size; i++)
      expect(verifyInclusion(hashes[i]!, i, size, inclusionProof(hashes, i), root)).toBe(true)
    for (let old = 0; old <= size; old++) {
      const proof = consistencyProof(hashes, old)
      expect(verifyConsistency(old, size, rootOf(hashes.slice(0, old)), root, proof)).toBe(true)
    }
  }
})

test('a proof for another leaf, place, size or root is refused', () => {
  const sizes = fc.integer({ min: 2, max: 300 })
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (size, a, b) => {
      const hashes = log(size)
      const root = rootOf(hashes)
      const [i, j] = [a % size, b % size]
      const proof = inclusionProof(hashes, i)
      if (i !== j) {
        expect(verifyInclusion(hashes[j]!, i, size, proof, root)).toBe(false)
        expect(verifyInclusion(hashes[i]!, j, size, proof, root)).toBe(false)
      }
      expect(verifyInclusion(hashes[i]!, i, size, proof, hashes[i]!)).toBe(false)
      expect(verifyInclusion(hashes[i]!, i, size, [...proof, hashes[j]!], root)).toBe(false)
      expect(verifyInclusion(hashes[i]!, i, size, proof.slice(1), root)).toBe(false)
    }),
    { numRuns: 60 },
  )
})

test('a rewritten past is refused by every consistency proof', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(),
      (old, more, at) => {
        const hashes = log(old + more)
        const altered = hashes.with(at % old, leafHash(new Uint8Array([255, 255, 255])))
        const oldRoot = rootOf(hashes.slice(0, old))
        const proof = consistencyProof(altered, old)
        expect(verifyConsistency(old, altered.length, oldRoot, rootOf(altered), proof)).toBe(false)
      },
    ),
    { numRuns: 60 },
  )
})

test('numbers that are no place in a log are refused, not computed with', () => {
  const hashes = log(5)
  for (const index of [-1, 5, 0.5, Number.NaN]) {
    expect(() => inclusionProof(hashes, index)).toThrow(RangeError)
    expect(verifyInclusion(hashes[0]!, index, 5, [], rootOf(hashes))).toBe(false)
  }
  expect(() => consistencyProof(hashes, 6)).toThrow(RangeError)
  expect(verifyConsistency(6, 5, rootOf(hashes), rootOf(hashes), [])).toBe(false)
  expect(verifyConsistency(0, 5, rootOf(hashes), rootOf(hashes), [])).toBe(false)
})

test('the frontier grows to the same roots', () => {
  const frontier = new Frontier()
  const hashes = log(300)
  for (const [i, hash] of hashes.entries()) {
    frontier.append(hash)
    if (i % 37 === 0) expect(toHex(frontier.root())).toBe(toHex(plainRoot(hashes.slice(0, i + 1))))
  }
  expect(frontier.size).toBe(300)
})
