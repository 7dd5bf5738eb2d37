import { createHash } from 'node:crypto'

/** sfc32: 128 bits of state, fast, and the same on every machine. */
export class Prng {
  readonly #path: string
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(path: string) {
    this.#path = path
    const seed = createHash('sha256').update(path).digest()
    this.#a = seed.readInt32LE(0)
    this.#b = seed.readInt32LE(4)
    this.#c = seed.readInt32LE(8)
    this.#d = seed.readInt32LE(12) | 1
  }

  /** A generator of its own for one subject, so that a fault added to one does not shift what all others draw. */
  fork(subject: string): Prng {
    return new Prng(`${this.#path}/${subject}`)
  }

  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    this.#c |= 0
    return t >>> 0
  }

  /** In [0, 1). */
  unit(): number {
    return this.uint32() / 2 ** 32
  }

  chance(p: number): boolean {
    return this.unit() < p
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.unit() * n)
  }

  /** An integer in [low, high). */
  between(low: number, high: number): number {
    return low + this.below(high - low)
  }

  /** Positive, with the given mean, and a long tail. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  bytes(n: number): Uint8Array {
    const out = new Uint8Array(n)
    for (let i = 0; i < n; i += 4) {
      const word = this.uint32()
      for (let k = 0; k < 4 && i + k < n; k++) out[i + k] = (word >>> (8 * k)) & 255
    }
    return out
  }

  /** Shaped like a UUID, so that nothing in the product can tell it from a real one. */
  uuid(): string {
    const hex = Buffer.from(this.bytes(16)).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
}
