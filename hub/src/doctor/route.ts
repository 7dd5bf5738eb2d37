import { readFileSync } from 'node:fs'
import { ConfigBad } from '../config.ts'

export type ReadRoutes = () => { v4: string; v6: string }

function systemRoutes(): { v4: string; v6: string } {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  return { v4: read('/proc/net/route'), v6: read('/proc/net/ipv6_route') }
}

/** Names of the interfaces that lead everywhere: destination and mask zero, and up. */
export function defaultRoutes(read: ReadRoutes = systemRoutes): string[] {
  const { v4, v6 } = read()
  const found = new Set<string>()
  for (const line of v4.split('\n').slice(1)) {
    const [device, destination, , flags, , , , mask] = line.trim().split(/\s+/)
    if (
      device &&
      destination === '00000000' &&
      mask === '00000000' &&
      (Number.parseInt(flags ?? '0', 16) & 1) === 1
    )
      found.add(device)
  }
  for (const line of v6.split('\n')) {
    const [destination, length, , , , , , , flags, device] = line.trim().split(/\s+/)
    const bits = Number.parseInt(flags ?? '0', 16)
    const rejects = (bits & 0x200) !== 0
    if (
      device &&
      device !== 'lo' &&
      destination === '0'.repeat(32) &&
      length === '00' &&
      (bits & 1) === 1 &&
      !rejects
    )
      found.add(device)
  }
  return [...found]
}

/** In production the core may have no way to the internet at all (LAW §6.1, trap 57): better not to start. */
export function refuseOpenRoute(profile: 'production' | 'trial', read: ReadRoutes = systemRoutes): void {
  if (profile !== 'production') return
  const devices = defaultRoutes(read)
  if (devices.length === 0) return
  throw new ConfigBad(
    [
      `保管庫を起動しませんでした。インターネットへ出られる既定の経路があります（${devices.join('、')}）。`,
      '理由: 本番では、医療情報を開ける基幹系は外部のネットワークから切り離す決まりです（法§6.1）。',
      '次にすること: この機械の既定経路を外し（例: ip route del default）、ゲートウェイと窓口への経路だけを残して、もう一度起動してください。',
    ].join('\n'),
  )
}
