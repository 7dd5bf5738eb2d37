import { regionOf } from './regions.ts'

export type Hierarchy = 'sex' | 'age' | 'region'

/** Distinct combinations of quasi-identifier values, as finest released, and how many persons have each. */
export interface Combination {
  values: string[]
  persons: number
}

export interface Generalised {
  levels: number[]
  /** Finest combination (joined) → its generalised values, or `null` when its class is suppressed. */
  mapping: Map<string, string[] | null>
  persons: number
  suppressed: number
  smallestClass: number
  classes: number
  /** 0: nothing lost, 1: everything. */
  loss: number
  /** Nodes of the lattice looked at: all of them. */
  checked: number
}

export const LEVELS: Record<Hierarchy, number> = { sex: 2, age: 4, region: 4 }
const AGE_WIDTHS = [5, 10, 20]

/** One value at one level of its hierarchy. Level 0 is as the profile kept it, the last level is `*`. */
export function generalise(
  hierarchy: Hierarchy,
  value: string,
  level: number,
  small: ReadonlySet<string>,
): string {
  if (level === 0) return value
  if (level >= LEVELS[hierarchy] - 1) return '*'
  if (hierarchy === 'age') return wider(value, AGE_WIDTHS[level] ?? 20)
  if (hierarchy === 'region') return level === 2 || small.has(value) ? (regionOf(value) ?? value) : value
  return value
}

function wider(band: string, width: number): string {
  const low = Number.parseInt(band, 10)
  if (Number.isNaN(low)) return band
  const from = Math.floor(low / width) * width
  return from + width > 90 ? `${from}+` : `${from}-${from + width - 1}`
}

export const joined = (values: readonly string[]): string => values.join('\u0001')

/**
 * Full-domain generalisation: looks at every node of the lattice and takes the one with the least loss whose
 * suppression stays within the limit; classes below `k` are suppressed. `null`: not even `*` reaches `k`.
 */
export function searchLattice(
  combinations: readonly Combination[],
  hierarchies: readonly Hierarchy[],
  rules: { k: number; suppressionLimit: number; regionMin: number },
): Generalised | null {
  const small = smallRegions(combinations, hierarchies, rules.regionMin)
  let best: Generalised | null = null
  let checked = 0
  for (const levels of nodes(hierarchies)) {
    checked++
    const node = tryNode(combinations, hierarchies, levels, small, rules.k)
    if (node.suppressed > rules.suppressionLimit * node.persons || node.classes === 0) continue
    if (!best || node.loss < best.loss) best = node
  }
  return best && { ...best, checked }
}

function smallRegions(
  combinations: readonly Combination[],
  hierarchies: readonly Hierarchy[],
  min: number,
): ReadonlySet<string> {
  const at = hierarchies.indexOf('region')
  const persons = new Map<string, number>()
  for (const c of combinations) {
    const region = c.values[at] ?? ''
    persons.set(region, (persons.get(region) ?? 0) + c.persons)
  }
  return new Set([...persons].filter(([, n]) => n < min).map(([region]) => region))
}

function* nodes(hierarchies: readonly Hierarchy[]): Generator<number[]> {
  const [first, ...rest] = hierarchies
  if (first === undefined) yield []
  else
    for (let level = 0; level < LEVELS[first]; level++)
      for (const others of nodes(rest)) yield [level, ...others]
}

function tryNode(
  combinations: readonly Combination[],
  hierarchies: readonly Hierarchy[],
  levels: readonly number[],
  small: ReadonlySet<string>,
  k: number,
): Generalised {
  const classes = new Map<string, { persons: number; values: string[] }>()
  const to = combinations.map((c) => {
    const values = c.values.map((v, i) => generalise(hierarchies[i] ?? 'sex', v, levels[i] ?? 0, small))
    const name = joined(values)
    const known = classes.get(name)
    if (known) known.persons += c.persons
    else classes.set(name, { persons: c.persons, values })
    return name
  })
  const mapping = new Map<string, string[] | null>()
  let persons = 0
  let suppressed = 0
  for (const [i, c] of combinations.entries()) {
    const into = classes.get(to[i] ?? '')
    const kept = into !== undefined && into.persons >= k
    persons += c.persons
    if (!kept) suppressed += c.persons
    mapping.set(joined(c.values), kept ? into.values : null)
  }
  const sizes = [...classes.values()].map((c) => c.persons).filter((n) => n >= k)
  const share = persons === 0 ? 0 : suppressed / persons
  const coarse = levels.map((level, i) => level / (LEVELS[hierarchies[i] ?? 'sex'] - 1))
  const mean = coarse.reduce((sum, x) => sum + x, 0) / Math.max(1, coarse.length)
  return {
    levels: [...levels],
    mapping,
    persons,
    suppressed,
    smallestClass: sizes.length === 0 ? 0 : Math.min(...sizes),
    classes: sizes.length,
    loss: (1 - share) * mean + share,
    checked: 1,
  }
}
