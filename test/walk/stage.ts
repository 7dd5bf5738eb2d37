import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as rest } from 'node:timers/promises'
import { AGENT, HUB, Program, runToEnd, type Ended } from './program.ts'

export const OPERATOR = 'op-1'
export const DAY = 86_400_000

/** One hub of real processes in `<dir>/hub`; each zone is started and stopped by itself. */
export interface HubStage {
  dir: string
  url: string
  portalUrl: string
  gateway: Program
  vault: Program
  portal: Program
  /** A one-time code that the gateway already knows. Needs gateway and vault at work. */
  code(facility: string): Promise<string>
}

export interface HubWishes {
  /** Merged into the zones' own settings files. */
  gateway?: Record<string, unknown>
  vault?: Record<string, unknown>
  shiftMs?: number
}

/** `hub init` in `<dir>/hub`, on free ports, with fast polling; nothing is started. */
export async function layHub(dir: string, wishes: HubWishes = {}): Promise<HubStage> {
  const hub = join(dir, 'hub')
  const [gatewayPort = 0, portalPort = 0, consolePort = 0] = await freePorts(3)
  const shiftMs = wishes.shiftMs ?? 0
  await done(
    runToEnd(
      HUB,
      [
        ...[
          'init',
          '--dir',
          hub,
          '--operator',
          OPERATOR,
          '--name',
          '架け橋機構',
          '--address',
          '東京都千代田区1-1',
        ],
        ...[
          '--gateway-port',
          `${gatewayPort}`,
          '--portal-port',
          `${portalPort}`,
          '--console-port',
          `${consolePort}`,
        ],
      ],
      { shiftMs },
    ),
  )
  amend(join(hub, 'gateway', 'gateway.json'), wishes.gateway ?? {})
  amend(join(hub, 'vault', 'vault.json'), { pullEveryMs: 100, ...wishes.vault })
  const zone = (name: string) =>
    new Program(name, HUB, [name, '--dir', hub], { log: join(dir, `${name}.log`), shiftMs })
  return {
    dir: hub,
    url: `http://127.0.0.1:${gatewayPort}`,
    portalUrl: `http://127.0.0.1:${portalPort}`,
    gateway: zone('gateway'),
    vault: zone('vault'),
    portal: zone('portal'),
    async code(facility) {
      const made = await done(
        runToEnd(HUB, ['enroll', '--dir', hub, '--facility', facility, '--json'], { shiftMs }),
      )
      await until('the gateway knows the code', () => untold(hub) === 0)
      return (JSON.parse(made.out) as { code: string }).code
    },
  }
}

export async function startHub(
  hub: HubStage,
  zones: readonly ('gateway' | 'vault' | 'portal')[],
): Promise<void> {
  for (const zone of zones) hub[zone].start()
  if (zones.includes('gateway')) await hub.gateway.answers(hub.url)
  if (zones.includes('portal')) await hub.portal.answers(hub.portalUrl)
}

function untold(hub: string): number {
  return rowsOf<{ n: number }>(
    join(hub, 'vault', 'ops.sqlite'),
    'SELECT count(*) AS n FROM enrolment_code WHERE told_gateway_at IS NULL',
  )[0]!.n
}

export interface AgentStage {
  dir: string
  facility: string
  folder: string
  program: Program
}

/** `agent init` with a fresh code in `<dir>/<facility>`; nothing is started. `config` is merged into its settings. */
export async function layAgent(
  hub: HubStage,
  dir: string,
  wishes: { facility: string; folder: string; config?: Record<string, unknown>; shiftMs?: number },
): Promise<AgentStage> {
  const { facility, folder, shiftMs = 0 } = wishes
  const home = join(dir, facility)
  mkdirSync(folder, { recursive: true })
  const code = await hub.code(facility)
  await done(
    runToEnd(
      AGENT,
      ['init', '--dir', home, '--hub', hub.url, '--code', code, '--facility', facility, '--source', folder],
      { shiftMs },
    ),
  )
  const counter = { host: '127.0.0.1', port: 0, https: false }
  amend(join(home, 'config.json'), { gatherAt: '* * * * * *', counter, ...wishes.config })
  const program = new Program(facility, AGENT, ['run', '--dir', home], {
    log: join(dir, `${facility}.log`),
    shiftMs,
  })
  return { dir: home, facility, folder, program }
}

/** Ends well, or says what it printed. */
export async function done(running: Promise<Ended>): Promise<Ended> {
  const ended = await running
  if (ended.code !== 0) throw new Error(`ended with ${ended.code}\n${ended.out}${ended.err}`)
  return ended
}

export function amend(path: string, changes: Record<string, unknown>): void {
  const before = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  writeFileSync(path, `${JSON.stringify({ ...before, ...changes }, null, 2)}\n`)
}

/** Reads a store of a running program, from outside. */
export function rowsOf<T>(path: string, query: string, ...parameters: (string | number)[]): T[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    db.exec('PRAGMA busy_timeout = 5000')
    return db.prepare(query).all(...parameters) as T[]
  } finally {
    db.close()
  }
}

/** Looks every 100 ms; rejects after `seconds`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 60,
): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
    await rest(100)
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}
