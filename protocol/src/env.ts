import { randomBytes, randomUUID } from 'node:crypto'

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number

/**
 * The only door to time, randomness and fresh ids. Production uses {@link systemEnv}; the simulator hands in a
 * virtual one, so that a whole hospital and hub replay from one seed.
 */
export interface Env {
  now(): Instant
  /** `n` random bytes, fit for keys and tokens. */
  random(n: number): Uint8Array
  /** A fresh unique id; carries no meaning and is no secret. */
  id(): string
  /** Runs `task` once, `ms` later; the returned function cancels it. */
  after(ms: number, task: () => void): () => void
}

export function systemEnv(): Env {
  return {
    now: () => Date.now(),
    random: (n) => new Uint8Array(randomBytes(n)),
    id: () => randomUUID(),
    after: (ms, task) => {
      const timer = setTimeout(task, Math.min(ms, 2 ** 31 - 1))
      return () => clearTimeout(timer)
    },
  }
}
