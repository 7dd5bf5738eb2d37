import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '@kakehashi/protocol/env'
import { operatorId } from '@kakehashi/protocol/ids'
import { newBoxKey, newSigningKey, toBase64 } from '@kakehashi/protocol/signing'
import { auditOrigin } from './audit/origin.ts'
import { ConfigBad } from './config.ts'
import { writePair, writeSecret } from './key-files.ts'

export interface InitAsked {
  dir: string
  operator: string
  name: string
  address: string
  phone: string | null
  gatewayPort: number
  portalPort: number
  consolePort: number
  profile: 'production' | 'trial'
  postgres: string | null
}

/** Folders, keys and settings of the three zones. The gateway's and the portal's hold only public halves. */
export function initHub(asked: InitAsked, env: Env): { created: string[] } {
  const { dir } = asked
  if (existsSync(join(dir, 'vault', 'vault.json')))
    throw new ConfigBad(`すでに初期化されています: ${dir}\n作り直すには別のフォルダーを指定してください。`)
  const operator = {
    operator: operatorId(asked.operator),
    name: asked.name,
    address: asked.address,
    phone: asked.phone,
  }
  const box = newBoxKey(env)
  const signing = newSigningKey(env)
  const audit = newSigningKey(env)
  const gatewayKey = newSigningKey(env)
  const vault = { box: toBase64(box.public), signing: toBase64(signing.public) }
  const database = asked.postgres === null ? null : { postgres: asked.postgres }
  for (const zone of ['gateway', 'portal', 'vault'])
    mkdirSync(join(dir, zone), { recursive: true, mode: 0o700 })
  writePair(join(dir, 'vault', 'keys', 'box.key'), box)
  writePair(join(dir, 'vault', 'keys', 'signing.key'), signing)
  writePair(join(dir, 'vault', 'keys', 'audit.key'), audit)
  writeSecret(join(dir, 'vault', 'keys', 'tombstone.key'), env.random(32))
  writeSecret(join(dir, 'vault', 'keys', 'store.key'), env.random(32))
  writePair(join(dir, 'gateway', 'keys', 'ack.key'), gatewayKey)
  const place = (port: number) => ({ host: '127.0.0.1', port, tls: null })
  const files: [string, unknown][] = [
    [join('gateway', 'gateway.json'), { operator, listen: place(asked.gatewayPort), vault, database }],
    [join('portal', 'portal.json'), { operator, listen: place(asked.portalPort), vault, database }],
    [
      join('vault', 'vault.json'),
      {
        operator,
        gateway: `http://127.0.0.1:${asked.gatewayPort}`,
        portal: `http://127.0.0.1:${asked.portalPort}`,
        console: place(asked.consolePort),
        profile: asked.profile,
        pullEveryMs: 1000,
        database,
      },
    ],
    [
      'public.json',
      {
        operator: operator.operator,
        auditOrigin: auditOrigin(operator.operator),
        auditKey: toBase64(audit.public),
        vaultKey: vault.box,
        vaultSigningKey: vault.signing,
        gatewayKey: toBase64(gatewayKey.public),
      },
    ],
  ]
  for (const [name, value] of files)
    writeFileSync(join(dir, name), `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  return { created: files.map(([name]) => name) }
}
