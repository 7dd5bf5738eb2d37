import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { operatorId } from '@kakehashi/protocol/ids'
import { fromBase64 } from '@kakehashi/protocol/signing'
import type { Location } from '@kakehashi/store/store'
import { z } from 'zod'
import { PORTAL_LIMITS_SHAPE } from './portal/limits.ts'

export class ConfigBad extends Error {
  override name = 'ConfigBad'
}

const key = z
  .string()
  .transform((text) => fromBase64(text))
  .refine((bytes) => bytes.length === 32, '公開鍵は32バイトのBase64で書いてください')
const operator = z.strictObject({
  operator: z.string().transform((text) => operatorId(text)),
  name: z.string().min(1),
  address: z.string().min(1),
  phone: z.string().nullable().default(null),
})
const place = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(0).max(65_535),
  /** Paths of PEM files; without them plain HTTP, for loopback or behind a proxy that ends TLS. */
  tls: z.strictObject({ cert: z.string(), key: z.string() }).nullable().default(null),
})
/** `null`: SQLite in the zone's own folder. */
const database = z
  .strictObject({ postgres: z.string().min(1) })
  .nullable()
  .default(null)
const vaultKeys = z.strictObject({ box: key, signing: key })

const Gateway = z.strictObject({
  operator,
  listen: place,
  vault: vaultKeys,
  database,
  storedBytesMax: z.number().int().positive().optional(),
})
const Portal = z.strictObject({
  operator,
  listen: place,
  vault: vaultKeys,
  database,
  /** Addresses of the proxies in front, whose X-Forwarded-For counts; nobody else's does. */
  proxies: z.array(z.string()).default([]),
  /** Budgets that hold from a later day than the built-in ones. */
  limits: z.array(PORTAL_LIMITS_SHAPE).default([]),
})
const VaultShape = z.strictObject({
  operator,
  gateway: z.url(),
  portal: z.url().nullable(),
  /** PEM file of the authority that certifies gateway and portal, when it is one's own. */
  ca: z.string().nullable().default(null),
  console: place,
  /** `production`: refuses to start with a route to the internet. */
  profile: z.enum(['production', 'trial']),
  /** How long the vault rests between two rounds of pulling. */
  pullEveryMs: z.number().int().min(100).max(600_000),
  /** A stop that a hospital has not applied after this long is shown as work at the console. */
  stopLateMs: z.number().int().min(60_000).default(86_400_000),
  /** How often accepted records move into sealed partitions. */
  settleEveryMs: z.number().int().min(1000).max(86_400_000).default(300_000),
  database,
})

const Vault = VaultShape.refine(ownOrigins, {
  path: ['console'],
  message: 'ゲートウェイ・窓口・コンソールは、それぞれ別の名前か番号の場所に置いてください',
})

export type GatewayConfig = z.infer<typeof Gateway>
export type PortalConfig = z.infer<typeof Portal>
export type VaultConfig = z.infer<typeof Vault>

export const readGatewayConfig = (dir: string): GatewayConfig =>
  read(Gateway, join(dir, 'gateway', 'gateway.json'))
export const readPortalConfig = (dir: string): PortalConfig =>
  read(Portal, join(dir, 'portal', 'portal.json'))
export const readVaultConfig = (dir: string): VaultConfig => read(Vault, join(dir, 'vault', 'vault.json'))

/** One origin for two of them, and pages of the one would count as the other's own. */
function ownOrigins(config: z.infer<typeof VaultShape>): boolean {
  const { gateway, portal, console } = config
  const hosts = [gateway, ...(portal === null ? [] : [portal])].map((url) => URL.parse(url)?.host ?? url)
  // port 0 is whichever is free, and never the same twice
  const places = [...hosts, `${console.host}:${console.port}`].filter((place) => !place.endsWith(':0'))
  return new Set(places).size === places.length
}

/** Every mistake of the file at once, so that nobody mends them one by one. */
function read<T>(schema: z.ZodType<T>, path: string): T {
  if (!existsSync(path))
    throw new ConfigBad(`設定ファイルがありません: ${path}\n先に kakehashi-hub init を実行してください。`)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new ConfigBad(`設定ファイルがJSONとして読めません: ${path}`)
  }
  const answer = schema.safeParse(value)
  if (answer.success) return answer.data
  const faults = answer.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new ConfigBad(`設定ファイルに誤りがあります: ${path}\n${faults.join('\n')}`)
}

/** Each store is a database of its own: a file in its zone's folder, or a schema. */
export function locationOf(
  database: { postgres: string } | null,
  folder: string,
  name: 'gateway' | 'portal' | 'ops' | 'identity',
): Location {
  return database
    ? { postgres: database.postgres, schema: `kakehashi_${name}` }
    : join(folder, `${name}.sqlite`)
}
