const FREE_FAILURES = 4
const WAIT_MS_FIRST = 30_000
const WAIT_MS_MAX = 15 * 60_000
const NAMES_MAX = 1_000

/** Waiting time that doubles with every failed sign-in past the fourth, per name. */
export class SignInThrottle {
  readonly #failures = new Map<string, { count: number; until: number }>()

  waitMs(name: string, now: number): number {
    return Math.max(0, (this.#failures.get(name)?.until ?? 0) - now)
  }

  failed(name: string, now: number): void {
    const count = (this.#failures.get(name)?.count ?? 0) + 1
    const over = count - FREE_FAILURES
    const wait = over > 0 ? Math.min(WAIT_MS_FIRST * 2 ** (over - 1), WAIT_MS_MAX) : 0
    // The oldest name goes, never all: filling the list must not free the name under attack.
    const [oldest] = this.#failures.keys()
    if (this.#failures.size >= NAMES_MAX && oldest !== undefined) this.#failures.delete(oldest)
    this.#failures.delete(name)
    this.#failures.set(name, { count, until: now + wait })
  }

  succeeded(name: string): void {
    this.#failures.delete(name)
  }
}
