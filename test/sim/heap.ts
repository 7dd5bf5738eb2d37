/** Binary heap; the order must be total, so that nothing depends on how it is laid out. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #order: (a: T, b: T) => number

  constructor(order: (a: T, b: T) => number) {
    this.#order = order
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (this.#order(items[up]!, item) <= 0) break
      items[at] = items[up]!
      at = up
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= items.length) break
      if (down + 1 < items.length && this.#order(items[down + 1]!, items[down]!) < 0) down++
      if (this.#order(items[down]!, last) >= 0) break
      items[at] = items[down]!
      at = down
    }
    items[at] = last
    return top
  }
}
