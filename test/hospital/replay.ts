import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpGet, HttpRequest } from '@kakehashi/agent/sources/fhir/wire'
import { sharedData } from './clinosim.ts'

/** One exchange with a real server of somebody else, as it was recorded. */
export interface Cassette {
  name: string
  request: { method: string; url: string }
  response: { status: number; headers: Record<string, string>; body: string }
}

export const recordings = sharedData('data/ehr/recorded-http')

/** By the three digits its file name begins with. */
export function cassettesOf(server: 'medplum' | 'bulk-data-server'): Map<string, Cassette> {
  const path = join(recordings as string, server)
  return new Map(
    readdirSync(path)
      .toSorted()
      .map((file) => {
        const cassette = JSON.parse(readFileSync(join(path, file), 'utf8')) as Cassette
        return [file.slice(0, 3), { ...cassette, name: `${server}/${file}` }]
      }),
  )
}

/** In any order of parameters; the format that we name, and they did not, does not count. */
function plain(method: string, url: string): string {
  const { origin, pathname, searchParams } = new URL(url)
  const asked = [...searchParams].filter(([name]) => name !== '_outputFormat')
  return [method, origin, pathname, ...asked.map(([name, value]) => `${name}=${value}`).toSorted()].join(' ')
}

export interface Replay {
  get: HttpGet
  requests: HttpRequest[]
  played: Set<string>
}

/** Plays recordings back in their order, the last of one question for ever; what was never recorded is a 404. */
export function replay(cassettes: Iterable<Cassette>): Replay {
  const left = Map.groupBy(cassettes, ({ request }) => plain(request.method, request.url))
  const told: Replay = { requests: [], played: new Set(), get: async () => notFound }
  told.get = async (request) => {
    told.requests.push(request)
    const queue = left.get(plain(request.method ?? 'GET', request.url))
    const cassette = queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0]
    if (cassette === undefined) return notFound
    told.played.add(cassette.name)
    const { status, headers, body } = cassette.response
    return { status, headers, body: Buffer.from(body) }
  }
  return told
}

const notFound = { status: 404, headers: {}, body: Buffer.from('{}') }
