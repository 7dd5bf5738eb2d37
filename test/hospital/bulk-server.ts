import { patientsNamed } from './fhir-repository.ts'
import type { FhirAnswer, FhirCall, FhirService } from './fhir-service.ts'

export interface BulkServer {
  /** How often the status says "not yet", and how. */
  polls: FhirAnswer[]
  linesPerFile: number
  filesPerPage: number
  /** Tells deletions in `deleted[]`. */
  tellsDeleted: boolean
  /** `false`: files are asked for without the token. */
  requiresAccessToken: boolean
  /** Another origin for the files. */
  filesAt: string | null
  errors: string[]
  /** Answers a file otherwise; `null`: as it is. */
  mangle: ((name: string, body: string, call: FhirCall) => FhirAnswer | null) | null
  /** Jobs on the server. */
  jobs: Map<string, Job>
  kickOffs: URL[]
  deletes: number
  calls: FhirCall[]
}

interface Job {
  at: number
  files: Map<string, string>
  manifest: { output: Item[]; deleted: Item[]; error: Item[] }
  polls: FhirAnswer[]
}

interface Item {
  type: string
  url: string
  count?: number
}

const json = (value: unknown, status = 200, headers: Record<string, string> = {}): FhirAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
})

/** Bulk Data Access 2.0 `$export` over a hospital's service: snapshot, polling, pages, deletions, errors. */
export function withExport(service: FhirService): BulkServer {
  const removed = new Map<string, number>()
  const remove = service.remove
  service.remove = (type, id) => {
    removed.set(`${type}/${id}`, service.options.now())
    return remove(type, id)
  }
  const server: BulkServer = {
    polls: [],
    linesPerFile: 50,
    filesPerPage: 1000,
    tellsDeleted: true,
    requiresAccessToken: true,
    filesAt: null,
    errors: [],
    mangle: null,
    jobs: new Map(),
    kickOffs: [],
    deletes: 0,
    calls: [],
  }
  service.intercept = (call) => {
    server.calls.push(call)
    const url = new URL(call.url)
    const path = decodeURIComponent(url.pathname).replace(/^\/fhir/, '')
    if (path.endsWith('/$export')) return kickOff(server, service, removed, call, url)
    const [, kind, id = '', name = ''] = path.split('/')
    const job = server.jobs.get(id)
    if (kind === 'bulkstatus') return status(server, job, id, call, url)
    if (kind !== 'bulkfiles') return null
    const body = job?.files.get(name)
    if (body === undefined) return json({ resourceType: 'OperationOutcome' }, 404)
    return server.mangle?.(name, body, call) ?? ndjson(body)
  }
  return server
}

export function ndjson(body: string, status = 200, headers: Record<string, string> = {}): FhirAnswer {
  return { status, headers: { 'content-type': 'application/fhir+ndjson', ...headers }, body }
}

function kickOff(
  server: BulkServer,
  service: FhirService,
  removed: ReadonlyMap<string, number>,
  call: FhirCall,
  url: URL,
): FhirAnswer {
  if (call.headers['prefer'] !== 'respond-async') return json({}, 400)
  server.kickOffs.push(url)
  const id = String(server.kickOffs.length)
  const job: Job = {
    at: service.options.now(),
    files: new Map(),
    manifest: { output: [], deleted: [], error: [] },
    polls: [...server.polls],
  }
  const told = url.searchParams.get('_since')
  const since = told === null ? -Infinity : Date.parse(told)
  const asked = url.searchParams.get('_type')?.split(',')
  const wanted = call.method === 'POST' ? patientsIn(call.body) : null
  const add = (list: Item[], type: string, lines: string[], ending: string) => {
    for (let from = 0; from < lines.length; from += server.linesPerFile) {
      const part = lines.slice(from, from + server.linesPerFile)
      const name = `${job.files.size + 1}.${type}${ending}.ndjson`
      job.files.set(name, `${part.join('\n')}\n`)
      const base = `${server.filesAt ?? url.origin}/fhir`
      list.push({ type, url: `${base}/bulkfiles/${id}/${name}?signed=secret`, count: part.length })
    }
  }
  for (const type of service.repository.types())
    if (asked === undefined || asked.includes(type))
      add(
        job.manifest.output,
        type,
        service.repository
          .since(type, since)
          .filter((v) => wanted === null || [...patientsNamed(v)].some((one) => wanted.has(one)))
          .map((v) => v.text),
        '',
      )
  const gone = [...removed].filter(
    ([key, at]) => at >= since && service.repository.textOf(...pair(key)) === undefined,
  )
  if (told !== null && server.tellsDeleted)
    add(
      job.manifest.deleted,
      'Bundle',
      gone.map(([key]) =>
        JSON.stringify({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ request: { method: 'DELETE', url: key } }],
        }),
      ),
      '.deleted',
    )
  add(job.manifest.error, 'OperationOutcome', server.errors, '.error')
  server.jobs.set(id, job)
  return json({}, 202, { 'content-location': `${url.origin}/fhir/bulkstatus/${id}` })
}

function patientsIn(body: string): Set<string> {
  const { parameter } = JSON.parse(body) as {
    parameter: { name: string; valueReference?: { reference: string } }[]
  }
  const named = parameter.filter(({ name }) => name === 'patient')
  return new Set(named.map((one) => one.valueReference?.reference.replace('Patient/', '') ?? ''))
}

const pair = (key: string) => key.split('/') as [string, string]

function status(server: BulkServer, job: Job | undefined, id: string, call: FhirCall, url: URL): FhirAnswer {
  if (call.method === 'DELETE') {
    server.deletes++
    return json({}, server.jobs.delete(id) ? 202 : 404)
  }
  if (!job) return json({}, 404)
  const waiting = job.polls.shift()
  if (waiting) return waiting
  const page = Number(url.searchParams.get('page') ?? 1)
  const to = page * server.filesPerPage
  const { output, deleted, error } = job.manifest
  const link =
    to < output.length ? [{ relation: 'next', url: `${url.origin}${url.pathname}?page=${page + 1}` }] : []
  return json({
    transactionTime: new Date(job.at).toISOString(),
    request: url.href,
    requiresAccessToken: server.requiresAccessToken,
    output: output.slice(to - server.filesPerPage, to),
    deleted: page === 1 ? deleted : [],
    error: page === 1 ? error : [],
    link,
  })
}
