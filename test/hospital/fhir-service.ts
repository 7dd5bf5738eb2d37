import { FhirRouter } from '@medplum/fhir-router'
import { indexDefinitions, IndexedRepository, type Version } from './fhir-repository.ts'

export interface FhirCall {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

export interface FhirAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

export interface FhirServiceOptions {
  /** Largest page, whatever `_count` asks. */
  pageMax?: number
  /** When set, every call needs `Authorization: Bearer <token>`. */
  token?: string
  /** Offers `Patient/<id>/$everything`. */
  everything?: boolean
  /** Says that its types can be searched. */
  search?: boolean
  /** Offers `<type>/_history`. */
  history?: boolean
  /** Time of resources that bring no `meta.lastUpdated`, and of the `Date` header. */
  now?: () => number
}

/**
 * A hospital's FHIR R4 server: Medplum's router and matchers over an indexed memory repository, with what they lack
 * (`next` links, 410 for the deleted, a capability statement, `$everything`) added around them. No sockets: see
 * `fhir-server.ts`.
 */
export interface FhirService {
  options: Required<Omit<FhirServiceOptions, 'token'>> & { token: string | null }
  router: FhirRouter
  repository: IndexedRepository
  /** How many calls were answered. */
  calls: number
  /** Creates or replaces; a time given prevails over the resource's own `meta.lastUpdated`. */
  put(line: string, at?: number): void
  remove(type: string, id: string, at?: number): boolean
  /** Lets a test stand between caller and server; `null` passes the call on. */
  intercept: ((call: FhirCall) => FhirAnswer | null | Promise<FhirAnswer | null>) | null
}

export function createFhirService(options: FhirServiceOptions = {}): FhirService {
  indexDefinitions()
  const repository = new IndexedRepository()
  const now = options.now ?? Date.now
  return {
    options: {
      pageMax: options.pageMax ?? 1000,
      token: options.token ?? null,
      everything: options.everything ?? true,
      search: options.search ?? true,
      history: options.history ?? false,
      now,
    },
    router: new FhirRouter(),
    repository,
    calls: 0,
    put: (line, at) => void repository.put(line, at ?? now(), at !== undefined),
    remove: (type, id, at) => repository.remove(type, id, at ?? now()),
    intercept: null,
  }
}

export async function answer(service: FhirService, call: FhirCall): Promise<FhirAnswer> {
  service.calls++
  const other = await service.intercept?.(call)
  const told = other ?? (await route(service, call))
  return { ...told, headers: { date: new Date(service.options.now()).toUTCString(), ...told.headers } }
}

async function route(service: FhirService, call: FhirCall): Promise<FhirAnswer> {
  const { token } = service.options
  if (token !== null && call.headers['authorization'] !== `Bearer ${token}`) return outcome(401, 'login')
  const url = new URL(call.url)
  const path = url.pathname.replace(/^\/fhir/, '')
  if (call.method === 'GET' && path === '/metadata') return json(200, JSON.stringify(capability(service)))
  const everything = /^\/Patient\/([A-Za-z0-9.-]{1,64})\/\$everything$/.exec(path)
  if (everything) {
    if (!service.options.everything) return outcome(404, 'not-found')
    return page(service, url, service.repository.everything(everything[1] as string))
  }
  const past = /^\/([A-Z][A-Za-z]+)\/_history$/.exec(path)
  if (past && service.options.history) return history(service, url, past[1] as string)
  const read = /^\/([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(path)
  if (call.method === 'GET' && read) return readOne(service, read[1] as string, read[2] as string)
  if (!service.options.search) return outcome(404, 'not-supported')
  return throughRouter(service, call, url, path)
}

/** Newest first, as the standard asks; pages are no snapshot, as on servers in the field. */
function history(service: FhirService, url: URL, type: string): FhirAnswer {
  const since = Date.parse(url.searchParams.get('_since') ?? '1970-01-01')
  const base = `${url.origin}/fhir`
  const entries = service.repository.past
    .filter((version) => version.type === type && version.at >= since)
    .toReversed()
    .map(({ id, at, text }) => {
      const head = `"fullUrl":${JSON.stringify(`${base}/${type}/${id}`)},"request":{"method":"${text === null ? 'DELETE' : 'PUT'}","url":"${type}/${id}"},"response":{"status":"${text === null ? 204 : 200}","lastModified":"${new Date(at).toISOString()}"}`
      return text === null ? `{${head}}` : `{${head},"resource":${text}}`
    })
  return entryPage(service, url, entries, 'history')
}

function readOne(service: FhirService, type: string, id: string): FhirAnswer {
  const text = service.repository.textOf(type, id)
  if (text !== undefined) return json(200, text)
  return service.repository.deleted.has(`${type}/${id}`) ? outcome(410, 'deleted') : outcome(404, 'not-found')
}

async function throughRouter(
  service: FhirService,
  call: FhirCall,
  url: URL,
  path: string,
): Promise<FhirAnswer> {
  const query: Record<string, string | string[]> = {}
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name)
    query[name] = values.length === 1 ? (values[0] as string) : values
  }
  const asked = Number(url.searchParams.get('_count') ?? 20)
  const search = call.method === 'GET' && /^\/[A-Z][A-Za-z]+$/.test(path)
  if (search) query['_count'] = String(Math.min(asked, service.options.pageMax))
  const [result, resource] = await service.router.handleRequest(
    {
      method: call.method as 'GET',
      url: path,
      pathname: '',
      params: {},
      query,
      body: call.body === '' ? {} : JSON.parse(call.body),
      headers: call.headers,
      config: {},
    },
    service.repository,
  )
  const status = STATUS[result.id ?? ''] ?? 400
  if (resource === undefined) return json(status, JSON.stringify(result))
  if (!search || resource.resourceType !== 'Bundle') return json(status, JSON.stringify(resource))
  return searchset(service, url, resource as SearchResult)
}

const STATUS: Record<string, number> = {
  ok: 200,
  created: 201,
  'not-found': 404,
  gone: 410,
  'not-modified': 304,
}

interface SearchResult {
  total?: number
  entry?: { resource: { resourceType: string; id: string } }[]
}

/** Prints a page with each resource's own text, so that no decimal changes on the way out. */
function searchset(service: FhirService, url: URL, found: SearchResult): FhirAnswer {
  const entries = found.entry ?? []
  const named = entries.map(({ resource: { resourceType: type, id } }) => {
    const text = service.repository.textOf(type, id)
    if (text === undefined) throw new Error(`found, and not there: ${type}/${id}`)
    return { type, id, text }
  })
  const offset = Number(url.searchParams.get('_offset') ?? 0)
  const more = offset + entries.length < (found.total ?? 0)
  return bundle(url, matches(url, named), more ? offset + entries.length : null, 'searchset')
}

function page(service: FhirService, url: URL, found: readonly Named[]): FhirAnswer {
  return entryPage(service, url, matches(url, found), 'searchset')
}

function entryPage(service: FhirService, url: URL, entries: string[], type: string): FhirAnswer {
  const offset = Number(url.searchParams.get('_offset') ?? 0)
  const count = Math.min(Number(url.searchParams.get('_count') ?? 100), service.options.pageMax)
  const next = offset + count < entries.length ? offset + count : null
  return bundle(url, entries.slice(offset, offset + count), next, type)
}

type Named = Pick<Version, 'type' | 'id' | 'text'>

function matches(url: URL, found: readonly Named[]): string[] {
  const base = `${url.origin}/fhir`
  return found.map(
    ({ type, id, text }) =>
      `{"fullUrl":${JSON.stringify(`${base}/${type}/${id}`)},"search":{"mode":"match"},"resource":${text}}`,
  )
}

function bundle(url: URL, entries: string[], next: number | null, type: string): FhirAnswer {
  const link = [{ relation: 'self', url: url.href }]
  if (next !== null) {
    const to = new URL(url)
    to.searchParams.set('_offset', String(next))
    link.push({ relation: 'next', url: to.href })
  }
  const head = `{"resourceType":"Bundle","type":"${type}","link":${JSON.stringify(link)}`
  return json(200, entries.length === 0 ? `${head}}` : `${head},"entry":[${entries.join(',')}]}`)
}

function interactionsOf({ options }: FhirService): { code: string }[] {
  const codes = [
    'read',
    ...(options.search ? ['search-type'] : []),
    ...(options.history ? ['history-type'] : []),
  ]
  return codes.map((code) => ({ code }))
}

function capability(service: FhirService): object {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    software: { name: 'test hospital' },
    rest: [
      {
        mode: 'server',
        resource: service.repository.types().map((type) => ({
          type,
          interaction: interactionsOf(service),
          searchParam: ['_id', '_lastUpdated', 'patient', 'subject'].map((name) => ({ name, type: 'token' })),
          ...(type === 'Patient' && service.options.everything
            ? {
                operation: [
                  {
                    name: 'everything',
                    definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything',
                  },
                ],
              }
            : {}),
        })),
      },
    ],
  }
}

function json(status: number, body: string): FhirAnswer {
  return { status, headers: { 'content-type': 'application/fhir+json; charset=utf-8' }, body }
}

function outcome(status: number, code: string): FhirAnswer {
  return json(
    status,
    JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] }),
  )
}
