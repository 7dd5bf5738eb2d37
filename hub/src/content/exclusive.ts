const tails = new WeakMap<object, Promise<unknown>>()

/** One job at a time for one owner: partition files have a single writer, and nobody reads one being replaced. */
export async function exclusive<T>(owner: object, job: () => Promise<T>): Promise<T> {
  const before = tails.get(owner) ?? Promise.resolve()
  const mine = before.then(job, job)
  tails.set(
    owner,
    mine.catch(() => undefined),
  )
  return mine
}
