import type { Room } from './rules.ts'

/** Every route and the room it belongs to; the test goes through the application's own routes and every role. */
export const ROUTES = {
  'GET /': 'home',
  'GET /agents': 'agents',
  'GET /linkage': 'linkage',
  'GET /erasures': 'erasures',
  'GET /erasures/:erasure': 'erasures',
  'GET /erasures/:erasure/certificate.json': 'erasures',
  'GET /releases': 'releases',
  'GET /releases/:release': 'releases',
  'POST /releases/:release/vote': 'releases',
  'GET /stops': 'stops',
  'GET /stops/new': 'desk',
  'POST /stops/new': 'desk',
  'GET /stops/:stop': 'stops',
  'GET /stops/:stop/slip': 'desk',
  'POST /stops/:stop/verify': 'desk',
  'POST /stops/:stop/end': 'desk',
  'POST /stops/:stop/erase': 'erasing',
  'GET /tickets': 'tickets',
  'GET /tickets/new': 'desk',
  'POST /tickets/new': 'desk',
  'GET /tickets/:ticket': 'tickets',
  'POST /tickets/:ticket/answer': 'desk',
  'POST /tickets/:ticket/stop': 'desk',
} as const satisfies Record<string, Room>

/** Open to whoever is not signed in. */
export const OPEN_ROUTES = ['GET /sign-in', 'POST /sign-in', 'POST /sign-out']
