import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv } from '@kakehashi/protocol/env'
import { afterEach, expect, test } from 'vitest'
import { readGatewayConfig, readPortalConfig, readVaultConfig } from './config.ts'
import { initHub } from './init.ts'
import { readVaultKeys } from './vault/opening.ts'

const dirs: string[] = []
function fresh(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-init-'))
  dirs.push(dir)
  const asked = { dir, operator: 'op-1', name: '架け橋機構', address: '東京都', phone: null, postgres: null }
  initHub({ ...asked, gatewayPort: 1, portalPort: 2, consolePort: 3, profile: 'trial' }, systemEnv())
  return dir
}
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

test('init makes three zones; the gateway’s and the portal’s folders hold no secret of the vault', () => {
  const dir = fresh()
  const keys = readVaultKeys(join(dir, 'vault'), 0)
  const secrets = [keys.box, keys.signing, keys.audit].map((key) =>
    Buffer.from(key.secret).toString('base64'),
  )
  for (const zone of ['gateway', 'portal'])
    for (const entry of readdirSync(join(dir, zone), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8')
      for (const secret of secrets) expect(text).not.toContain(secret)
    }
  expect(readGatewayConfig(dir).vault.box).toEqual(keys.box.public)
  expect(readPortalConfig(dir).vault.box).toEqual(keys.box.public)
})

test('key files are readable by their owner alone, and init never overwrites a hub', () => {
  const dir = fresh()
  for (const name of readdirSync(join(dir, 'vault', 'keys')))
    expect(statSync(join(dir, 'vault', 'keys', name)).mode & 0o777).toBe(0o600)
  const asked = { dir, operator: 'op-2', name: 'x', address: 'y', phone: null, postgres: null }
  expect(() =>
    initHub({ ...asked, gatewayPort: 1, portalPort: 2, consolePort: 3, profile: 'trial' }, systemEnv()),
  ).toThrow(/すでに初期化/)
})

test('ASVS 3.5.4 portal, console and gateway have an origin each, or nothing starts', () => {
  const dir = fresh()
  const { gateway, portal, console } = readVaultConfig(dir)
  const places = [new URL(gateway).host, new URL(portal ?? '').host, `${console.host}:${console.port}`]
  expect(new Set(places).size).toBe(3)
  const path = join(dir, 'vault', 'vault.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const here = `http://${console.host}:${console.port}`
  for (const change of [{ portal: here }, { gateway: here }, { portal: config.gateway }]) {
    writeFileSync(path, JSON.stringify({ ...config, ...change }))
    expect(() => readVaultConfig(dir)).toThrow(/別の名前か番号/)
  }
})

test('every mistake in a configuration file is named at once', () => {
  const dir = fresh()
  const path = join(dir, 'vault', 'vault.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...config, gateway: 'nowhere', pullEveryMs: 1 }))
  expect(() => readVaultConfig(dir)).toThrow(/gateway[\s\S]*pullEveryMs/)
})
