import { join } from 'node:path'
import type { Env } from '@kakehashi/protocol/env'
import { word, type Log } from '@kakehashi/protocol/log'
import { locationOf, readGatewayConfig, readPortalConfig } from './config.ts'
import { createGateway } from './gateway/gateway.ts'
import { openGatewayStore } from './gateway/store.ts'
import { serveGateway } from './gateway/wire.ts'
import { readPair } from './key-files.ts'
import { portalPages } from './portal/pages/app.ts'
import { createPortal } from './portal/portal.ts'
import { openPortalStore } from './portal/store.ts'
import { callerOf, servePortal } from './portal/wire.ts'
import { placeOf } from './wire.ts'

/** One zone's process at work. */
export interface Running {
  url: string
  port: number
  close(): Promise<void>
}

const TIDY_EVERY_MS = 3600 * 1000

/** Reads only the gateway's own folder: no key in it opens anything. */
export async function runGateway(dir: string, env: Env, log: Log): Promise<Running> {
  const config = readGatewayConfig(dir)
  const folder = join(dir, 'gateway')
  const store = await openGatewayStore(locationOf(config.database, folder, 'gateway'), env)
  const gateway = createGateway({
    env,
    store,
    key: readPair(join(folder, 'keys', 'ack.key')),
    operator: config.operator,
    vault: config.vault,
    log,
    ...(config.storedBytesMax === undefined ? {} : { storedBytesMax: config.storedBytesMax }),
  })
  const listening = await serveGateway(gateway, placeOf(config.listen))
  let cancel = (): void => {}
  const tidy = (): void => {
    gateway.tidy().catch(() => log('gateway.tidy-failed'))
    cancel = env.after(TIDY_EVERY_MS, tidy)
  }
  tidy()
  log('ready', { zone: word('gateway'), port: listening.port })
  return {
    url: listening.url,
    port: listening.port,
    async close() {
      cancel()
      await listening.close()
      await store.close()
    },
  }
}

export async function runPortal(dir: string, env: Env, log: Log): Promise<Running> {
  const config = readPortalConfig(dir)
  const store = await openPortalStore(locationOf(config.database, join(dir, 'portal'), 'portal'), env)
  const { vault, limits, proxies } = config
  const portal = createPortal({ env, store, vault, log, limits, proxies })
  const pages = portalPages({
    operator: config.operator,
    https: config.listen.tls !== null,
    takeStop: (asked, c) => portal.takeStop({ ...asked, address: callerOf(c, proxies) }),
    hospitals: () => portal.hospitals(),
    takeNumberStop: (asked, c) => portal.takeNumberStop({ ...asked, address: callerOf(c, proxies) }),
    takeQuestion: (asked, c) => portal.takeQuestion({ ...asked, address: callerOf(c, proxies) }),
    stateOf: (asked, c) => portal.stateOf({ ...asked, address: callerOf(c, proxies) }),
    noticeOf: (facility, language) => portal.noticeOf(facility, language),
  })
  const listening = await servePortal(portal, pages, placeOf(config.listen))
  log('ready', { zone: word('portal'), port: listening.port })
  return {
    url: listening.url,
    port: listening.port,
    async close() {
      await listening.close()
      await store.close()
    },
  }
}
