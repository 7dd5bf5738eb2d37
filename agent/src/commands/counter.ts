import type { Server } from 'node:http'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { counterApp } from '../counter/app.ts'
import { counterParts, counterSettings } from '../counter/of-agent.ts'
import { takeOverStaff } from '../staff/flow.ts'
import type { Opened } from './opened.ts'

/** The front desk's pages on the hospital's own network. */
export async function serveCounter({
  agent,
  at,
  config,
  connectors,
}: Opened): Promise<{ url: string; close(): Promise<void> }> {
  await takeOverStaff(agent.context, config.staff)
  const noticeTexts = config.noticeTexts ?? join(at.dir, 'notices')
  const app = counterApp(counterParts(agent, counterSettings({ ...config, noticeTexts }), connectors))
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
