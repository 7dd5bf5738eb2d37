import { sha256 } from './signing.ts'

/**
 * Merkle tree hashes and proofs of RFC 9162 (the same as RFC 6962): leaves under 0x00, inner nodes under 0x01, the
 * left subtree the largest power of two smaller than the size.
 */
const HASH_BYTES = 32
const LEAF = new Uint8Array([0])
const NODE = new Uint8Array([1])

export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(LEAF, leaf)
}

const node = new Uint8Array(1 + 2 * HASH_BYTES)
node.set(NODE)

/** Over one reused buffer: a log of millions of leaves asks for as many. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) return sha256(NODE, left, right)
  node.set(left, 1)
  node.set(right, 1 + HASH_BYTES)
  return sha256(node)
}

/** Root over leaf hashes; the root of nothing is the SHA-256 of the empty string. */
export function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const frontier = new Frontier()
  for (const hash of hashes) frontier.append(hash)
  return frontier.root()
}

/** Proof that the leaf at `index` is under the root of all `hashes`. Throws `RangeError` when there is no such leaf. */
export function inclusionProof(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= hashes.length)
    throw new RangeError('no such leaf')
  const proof: Uint8Array[] = []
  let [from, to] = [0, hashes.length]
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      proof.unshift(rootOf(hashes.slice(middle, to)))
      to = middle
    } else {
      proof.unshift(rootOf(hashes.slice(from, middle)))
      from = middle
    }
  }
  return proof
}

/** Proof that the tree over all `hashes` extends the one over the first `oldSize`. Throws `RangeError`. */
export function consistencyProof(hashes: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > hashes.length)
    throw new RangeError('no such size')
  if (oldSize === 0 || oldSize === hashes.length) return []
  const proof: Uint8Array[] = []
  let [from, to] = [0, hashes.length]
  let whole = true
  while (oldSize < to) {
    const middle = from + splitOf(to - from)
    if (oldSize <= middle) {
      proof.unshift(rootOf(hashes.slice(middle, to)))
      to = middle
    } else {
      proof.unshift(rootOf(hashes.slice(from, middle)))
      from = middle
      whole = false
    }
  }
  if (!whole) proof.unshift(rootOf(hashes.slice(from, to)))
  return proof
}

/** RFC 9162 §2.1.3.2. Never throws. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false
  let [fn, sn] = [index, size - 1]
  let hash = leaf
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else hash = nodeHash(hash, sibling)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equal(hash, root)
}

/** RFC 9162 §2.1.4.2; an empty old tree is extended by every tree. Never throws. */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(newSize)) return false
  if (oldSize < 0 || oldSize > newSize) return false
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, rootOf([]))
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot)
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof
  const [first, ...rest] = path
  if (first === undefined) return false
  let [fn, sn] = [oldSize - 1, newSize - 1]
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)]
  let [fr, sr] = [first, first]
  for (const hash of rest) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(hash, fr)
      sr = nodeHash(hash, sr)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else sr = nodeHash(sr, hash)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equal(fr, oldRoot) && equal(sr, newRoot)
}

/** The right edge of a growing tree: appends in O(log n) without keeping the leaves. */
export class Frontier {
  /** Roots of the full subtrees, largest first. */
  readonly #peaks: { height: number; hash: Uint8Array }[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  append(hash: Uint8Array): void {
    let node = { height: 0, hash }
    for (let last = this.#peaks.at(-1); last?.height === node.height; last = this.#peaks.at(-1)) {
      this.#peaks.pop()
      node = { height: node.height + 1, hash: nodeHash(last.hash, node.hash) }
    }
    this.#peaks.push(node)
    this.#size++
  }

  root(): Uint8Array {
    const last = this.#peaks.at(-1)
    if (!last) return sha256()
    return this.#peaks.slice(0, -1).reduceRight((right, peak) => nodeHash(peak.hash, right), last.hash)
  }
}

/** The largest power of two smaller than `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

function half(n: number): number {
  return Math.floor(n / 2)
}

function isPowerOfTwo(n: number): boolean {
  return splitOf(n + 1) === n
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
