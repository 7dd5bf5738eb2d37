/**
 * One byte string for one JSON value: keys sorted by UTF-16 code unit, no white space, as RFC 8785 (JCS) orders them.
 * Only for our own messages (finite numbers, strings, booleans, null, arrays, plain objects); `undefined`
 * members are left out. Clinical payloads are never passed through here.
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('not a finite number')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((v) => canonical(v)).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`)
    return `{${members.join(',')}}`
  }
  throw new TypeError(`cannot write a ${typeof value} canonically`)
}

export function canonicalBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonical(value))
}
