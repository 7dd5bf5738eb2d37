/**
 * Which types a granted scope lets us read. SMART v2 writes `system/Observation.rs`, v1 `system/Observation.read`; `*`
 * stands for all, and a scope may be narrowed by a query, which we cannot rely on for everything.
 */
export function grantedTypes(scope: string): (type: string) => boolean {
  const types = new Set<string>()
  for (const one of scope.split(/\s+/)) {
    const [, type, right] = /^system\/(\*|[A-Za-z]+)\.([a-z*]+)$/.exec(one) ?? []
    if (type !== undefined && readable(right as string)) types.add(type)
  }
  return (type) => types.has('*') || types.has(type)
}

function readable(right: string): boolean {
  if (right === 'read' || right === '*') return true
  return /^c?r?u?d?s?$/.test(right) && right.includes('r') && right.includes('s')
}
