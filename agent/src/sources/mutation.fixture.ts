/** `npm run fuzz` asks for a million of each parser. */
export const MUTANTS = Number(process.env['KAKEHASHI_MUTANTS'] ?? 20_000)

/**
 * Each changed in one to four places: a byte, an end cut off, a piece taken out, doubled or put in. By a xorshift: the
 * same seed, the same mutants.
 */
export function* mutantsOf(
  { seeds, pieces }: { seeds: readonly Buffer[]; pieces: readonly string[] },
  count: number,
  seed: number,
): Generator<Uint8Array> {
  let state = seed >>> 0 || 1
  const next = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  for (let n = 0; n < count; n++) {
    let bytes = Buffer.from(seeds[next(seeds.length)] as Buffer)
    for (let changes = next(4) + 1; changes > 0; changes--) {
      const at = next(bytes.length + 1)
      const to = Math.min(bytes.length, at + next(40))
      const kind = next(5)
      if (kind === 0) bytes[Math.min(at, bytes.length - 1)] = next(256)
      else if (kind === 1) bytes = bytes.subarray(0, Math.max(1, at))
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
      else if (kind === 3)
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, to), bytes.subarray(to)])
      else
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(pieces[next(pieces.length)] as string),
          bytes.subarray(at),
        ])
      if (bytes.length === 0) bytes = Buffer.from('M')
    }
    yield bytes
  }
}
