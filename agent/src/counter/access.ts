import { OFFICE_ROUTES } from '../office/access.ts'
import { PAPER_ROUTES } from '../papers/access.ts'
import { ROLES, type Role } from '../staff/rules.ts'

export interface RouteAccess {
  method: 'GET' | 'POST'
  /** As the router has it. */
  path: string
  /** `anybody`: no session is asked for. */
  roles: readonly Role[] | 'anybody'
}

const DESK: readonly Role[] = ['desk', 'privacy']
const PRIVACY: readonly Role[] = ['privacy']
const OFFICE: readonly Role[] = ['privacy', 'it']
const EVERY: readonly Role[] = ROLES

const route = (line: string, roles: RouteAccess['roles']): RouteAccess => {
  const [method, path] = line.split(' ') as ['GET' | 'POST', string]
  return { method, path, roles }
}

/**
 * Who may open what. A route that is not in this table is open to nobody, whoever wrote it; the test goes through
 * every route of the application and every role.
 */
export const ACCESS: readonly RouteAccess[] = [
  ...['GET /sign-in', 'POST /sign-in', 'POST /sign-out'].map((line) => route(line, 'anybody')),
  ...['GET /', 'GET /pin', 'POST /pin'].map((line) => route(line, EVERY)),
  ...[
    'POST /search',
    'GET /today',
    'GET /tasks',
    'GET /paper/:paper',
    'GET /patient/:handle',
    'GET /patient/:handle/ask',
    'POST /patient/:handle/ask',
    'POST /patient/:handle/notice',
    'POST /patient/:handle/confirm-notice',
    'POST /patient/:handle/undo',
    'POST /patient/:handle/same',
    'POST /patient/:handle/capacity',
    'GET /patient/:handle/stop',
    'POST /patient/:handle/stop',
    'GET /patient/:handle/stopped/:stop',
    'GET /patient/:handle/slip/:stop',
    'POST /patient/:handle/slip/:stop/handed',
    'POST /patient/:handle/slip/:stop/agree',
    'GET /patient/:handle/slip/:stop/file',
    'POST /patient/:handle/confirm-stop',
    'POST /patient/:handle/erasure',
    'GET /named',
    'GET /named/new',
    'POST /named/new',
    'POST /named/:stop',
    'GET /named/:stop/slip',
    'POST /named/:stop/slip/handed',
    'GET /patient/:handle/withdraw',
    'POST /patient/:handle/withdraw',
    ...PAPER_ROUTES.desk,
  ].map((line) => route(line, DESK)),
  ...OFFICE_ROUTES.both.map((line) => route(line, OFFICE)),
  ...[...PAPER_ROUTES.privacy, ...OFFICE_ROUTES.privacy].map((line) => route(line, PRIVACY)),
]

const PATTERNS = new Map<RouteAccess, RegExp>()

function patternOf(access: RouteAccess): RegExp {
  const known = PATTERNS.get(access)
  if (known) return known
  const made = new RegExp(`^${access.path.replaceAll(/:[a-z]+/g, '[^/]+')}$`)
  PATTERNS.set(access, made)
  return made
}

/** The line of the table for a request, or `null`: closed. A GET line serves HEAD. */
export function accessOf(
  method: string,
  path: string,
  table: readonly RouteAccess[] = ACCESS,
): RouteAccess | null {
  const asked = method === 'HEAD' ? 'GET' : method
  return table.find((one) => one.method === asked && patternOf(one).test(path)) ?? null
}

export function mayOpen(access: RouteAccess, role: Role): boolean {
  return access.roles === 'anybody' || access.roles.includes(role)
}
