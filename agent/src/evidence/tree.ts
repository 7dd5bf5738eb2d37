import { nodeHash } from '@kakehashi/protocol/merkle'

const HASH_BYTES = 32

/** All levels of a Merkle tree at once, so that a proof costs its own length and not the whole log. */
export class Tree {
  readonly #levels: Buffer[]
  readonly size: number

  constructor(leaves: readonly Uint8Array[]) {
    this.size = leaves.length
    this.#levels = [Buffer.concat(leaves)]
    for (let level = this.#levels[0]; level && level.length > HASH_BYTES;) {
      level = parentsOf(level)
      this.#levels.push(level)
    }
  }

  get root(): Uint8Array {
    return this.#levels.at(-1) ?? new Uint8Array()
  }

  /** As RFC 9162 §2.1.3: a node without a sibling goes up as it is. */
  proof(index: number): Uint8Array[] {
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.size) throw new RangeError('no such leaf')
    const proof: Uint8Array[] = []
    let at = index
    for (const level of this.#levels.slice(0, -1)) {
      const sibling = at % 2 === 0 ? at + 1 : at - 1
      if (sibling * HASH_BYTES < level.length) proof.push(hashAt(level, sibling))
      at = Math.floor(at / 2)
    }
    return proof
  }
}

function hashAt(level: Buffer, index: number): Uint8Array {
  return level.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
}

function parentsOf(level: Buffer): Buffer {
  const count = level.length / HASH_BYTES
  const parents = Buffer.alloc(Math.ceil(count / 2) * HASH_BYTES)
  for (let at = 0; at < count; at += 2) {
    const parent = at + 1 < count ? nodeHash(hashAt(level, at), hashAt(level, at + 1)) : hashAt(level, at)
    parents.set(parent, (at / 2) * HASH_BYTES)
  }
  return parents
}
