/** One erasure, as kept outside the database: keyed hashes, nothing that names anybody. */
export interface ErasureEntry {
  erasure: string
  at: number
  hashes: string[]
  /** The same charts by the hash under their facility's own key. */
  own?: { facility: string; hash: string }[]
  /** Numbers of the stops and tickets whose words went with them. */
  said?: string[]
}

/** Append-only and never part of a restore, so that a restored backup can be made to forget again (LAW trap 32). */
export interface ErasureList {
  append(entry: ErasureEntry): void
  entries(): ErasureEntry[]
}

/** For tests and the simulation: as durable as the array it is given. */
export function erasureListOf(kept: ErasureEntry[]): ErasureList {
  return { append: (entry) => void kept.push(entry), entries: () => [...kept] }
}
