import { createHash } from 'node:crypto'

/** Random numbers that depend on nothing but their seed (mulberry32 over a hash of the seed's text). */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** Whole number in [from, to]. */
  int(from: number, to: number): number
  pick<T>(from: readonly T[]): T
  chance(p: number): boolean
}

export function randomOf(...seed: (string | number)[]): Random {
  let state = createHash('sha256').update(seed.join('\u0000')).digest().readUInt32LE(0)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    int,
    pick: (from) => from[int(0, from.length - 1)] as (typeof from)[number],
    chance: (p) => next() < p,
  }
}
