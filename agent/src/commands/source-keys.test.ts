import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MAIN = new URL('../main.ts', import.meta.url).pathname

test('agent sources keys: a new key in front, the last one beside it, only public halves on the way out', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-keys-'))
  try {
    const keysFile = join(dir, 'ehr-keys.json')
    const auth = { kind: 'smart', clientId: 'kakehashi', keysFile }
    const source = { id: 'ehr', kind: 'fhir-rest', base: 'https://ehr.example/fhir', auth }
    const config = { hub: 'https://hub.example', facility: 'h1', sources: [source] }
    writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
    const run = (...args: string[]) => {
      const out = execFileSync(process.execPath, [MAIN, 'sources', ...args, '--dir', dir], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      return (JSON.parse(out) as { keys: Record<string, string>[] }).keys
    }
    const [first] = run('keys', 'ehr')
    const both = run('keys', 'ehr', '--alg', 'RS384')
    expect(both.map((key) => key['alg'])).toEqual(['RS384', 'ES384'])
    expect(both[1]?.['kid']).toBe(first?.['kid'])
    expect(run('jwks', 'ehr')).toEqual(both)
    for (const key of both) expect(key).not.toHaveProperty('d')
    expect(statSync(keysFile).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(keysFile, 'utf8'))).toMatchObject({
      keys: [{ alg: 'RS384' }, { alg: 'ES384' }],
    })
    expect(() => run('keys', 'nobody')).toThrow('Command failed')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}, 30_000)
