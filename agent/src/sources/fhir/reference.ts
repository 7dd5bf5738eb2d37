/** What a FHIR reference points at, as far as it can be told from its own text. */
export type Target =
  | { t: 'local'; type: string; id: string }
  | { t: 'contained'; id: string }
  | { t: 'identifier'; system: string | null; value: string; type: string | null }
  /** Of another server, or in a form that cannot be followed. */
  | { t: 'foreign' }
  /** Only words, or nothing at all. */
  | { t: 'none' }

export interface ReferenceScope {
  /** Own base URLs, each ending with `/`. */
  bases: readonly string[]
  /** `fullUrl` of a Bundle's entries → `Type/id`. */
  fullUrls?: ReadonlyMap<string, string>
}

const RELATIVE = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?(?:\|.*)?$/

/** DATA T19: relative, absolute, versioned, `urn:uuid`, contained, identifier-only, display-only. */
export function targetOf(reference: unknown, scope: ReferenceScope): Target {
  if (typeof reference !== 'object' || reference === null) return { t: 'none' }
  const { reference: text, identifier, type } = reference as Record<string, unknown>
  if (typeof text === 'string') {
    const found = textTarget(text, scope)
    if (found.t !== 'foreign' || !identifier) return found
  }
  if (typeof identifier !== 'object' || identifier === null) return { t: 'none' }
  const { system, value } = identifier as Record<string, unknown>
  if (typeof value !== 'string' || value === '') return { t: 'none' }
  return {
    t: 'identifier',
    system: typeof system === 'string' ? system : null,
    value,
    type: typeof type === 'string' ? type : null,
  }
}

function textTarget(text: string, scope: ReferenceScope): Target {
  if (text.startsWith('#')) return { t: 'contained', id: text.slice(1) }
  const relative = RELATIVE.exec(text)
  if (relative) return { t: 'local', type: relative[1] as string, id: relative[2] as string }
  const inBundle = scope.fullUrls?.get(text)
  if (inBundle !== undefined) return textTarget(inBundle, { bases: [] })
  const base = scope.bases.find((b) => text.startsWith(b))
  return base === undefined ? { t: 'foreign' } : textTarget(text.slice(base.length), { bases: [] })
}
