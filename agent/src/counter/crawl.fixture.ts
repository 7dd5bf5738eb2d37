import { sql } from 'kysely'
import { ACCESS, type RouteAccess } from './access.ts'
import { Clerk, hospital, PIN } from './world.fixture.ts'

export type Place = Awaited<ReturnType<typeof hospital>>

export interface Asked {
  path: string
  status: number
  headers: Headers
  text: string
}

/** A counter with a notified patient, a stopped one and a stop by name, and somebody signed in who has them open. */
export async function busyCounter(staff = 's-02', settings: Parameters<typeof hospital>[0] = {}) {
  const place = await hospital(settings)
  const clerk = new Clerk(place.app)
  await clerk.signIn(staff)
  const notified = await clerk.open('00123457')
  await clerk.post(`${notified}/notice`, { to: 'person' })
  const paper = clerk.path.split('/').at(-1) ?? ''
  const handle = (await clerk.open('00123456')).split('/').at(-1) ?? ''
  await clerk.post(`/patient/${handle}/stop`, { who: 'person', how: 'card' })
  const stop = clerk.path.split('/').at(-1) ?? ''
  await clerk.post('/named/new', { kana: 'ナナシ', born: '19500101', who: 'person' })
  const named = clerk.path.split('/')[2] ?? ''
  return { ...place, clerk, ids: { handle, stop, paper, named } }
}

export type Busy = Awaited<ReturnType<typeof busyCounter>>

/** The route's address with what this counter knows in place of its parameters. */
export function addressOf(route: Pick<RouteAccess, 'path'>, ids: Busy['ids']): string {
  const stop = route.path.startsWith('/named') ? ids.named : ids.stop
  return route.path
    .replace(':handle', ids.handle)
    .replace(':stop', stop)
    .replace(':paper', ids.paper)
    .replaceAll(/:[a-z]+/g, 'nothing')
}

export const GETS = ACCESS.filter((one) => one.method === 'GET')
export const POSTS = ACCESS.filter((one) => one.method === 'POST')

/** One request as a browser would send it, redirects not followed. */
export async function ask(
  place: Pick<Busy, 'app' | 'clerk'>,
  method: string,
  path: string,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Asked> {
  const { cookie, csrf } = place.clerk
  const response = await place.app.request(path, {
    method,
    ...(method === 'POST' ? { body: new URLSearchParams({ csrf, ...form }) } : {}),
    headers: { cookie, ...(method === 'POST' ? { origin: 'http://localhost' } : {}), ...headers },
  })
  return { path, status: response.status, headers: response.headers, text: await response.text() }
}

/** Every page of the table, as this member of staff gets it. */
export async function everyPage(busy: Busy): Promise<Asked[]> {
  const pages: Asked[] = []
  for (const route of GETS) pages.push(await ask(busy, 'GET', addressOf(route, busy.ids)))
  return pages
}

/** Everything that is kept, beside the log of who looked. */
export async function digestOf({ store }: Pick<Place, 'store'>): Promise<string> {
  const tables = ['register_event', 'slip', 'name_stop', 'staff', 'patient_index', 'outbox_batch']
  const rows = []
  for (const table of tables) rows.push((await sql`SELECT * FROM ${sql.table(table)}`.execute(store.db)).rows)
  return JSON.stringify(rows)
}

export async function leavesOf({ store }: Pick<Place, 'store'>): Promise<{ act: string; detail?: object }[]> {
  const rows = await store.db.selectFrom('audit_leaf').select('leaf').orderBy('seq').execute()
  return rows.map((one) => JSON.parse(new TextDecoder().decode(one.leaf)) as { act: string })
}

export { PIN }
