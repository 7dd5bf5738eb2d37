import { existsSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { counterApp } from '../counter/app.ts'
import { patientFinder } from '../patients/search.ts'
import type { Opened } from './opened.ts'

const ONLINE_MS = 5 * 60 * 1000

/** The front desk's pages on the hospital's own network. */
export async function serveCounter({
  agent,
  config,
}: Opened): Promise<{ url: string; close(): Promise<void> }> {
  const { context } = agent
  const app = counterApp({
    context,
    settings: {
      facilityName: config.facilityName,
      https: config.counter.https,
      staff: config.staff.map(({ id, name, pinHash }) => ({ id, name, pin: pinHash })),
      portalAddress: config.portalAddress,
      operatorPhone: config.operatorPhone,
      noticeText: (hash) => {
        if (!config.noticeTexts || !/^[0-9a-f]{64}$/.test(hash)) return null
        const path = join(config.noticeTexts, `${hash}.txt`)
        return existsSync(path) ? readFileSync(path, 'utf8') : null
      },
    },
    register: agent.register,
    people: patientFinder(context.store.db as never),
    online: () => {
      const last = agent.line.lastContactAt
      return last !== null && context.env.now() - last < ONLINE_MS
    },
  })
  const { host, port } = config.counter
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (info) =>
      resolve({
        url: `http://${host}:${info.port}`,
        close: () =>
          new Promise((done) => {
            ;(server as Server).closeAllConnections()
            server.close(() => done())
          }),
      }),
    )
    server.once('error', reject)
  })
}
