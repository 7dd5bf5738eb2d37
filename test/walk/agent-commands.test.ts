import { spawn, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { adt00, jis, OLD, pathOf } from '@kakehashi/agent/sources/ssmix2/storage.fixture'
import { enrolmentCodeHash } from '@kakehashi/hub/gateway/enrolment'
import { createGateway } from '@kakehashi/hub/gateway/gateway'
import { openGatewayStore } from '@kakehashi/hub/gateway/store'
import { serveGateway } from '@kakehashi/hub/gateway/wire'
import { systemEnv } from '@kakehashi/protocol/env'
import { operatorId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import { newBoxKey, newSigningKey } from '@kakehashi/protocol/signing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '../../agent/src/main.ts')
const HOUR = 3600_000
const dir = mkdtempSync(join(tmpdir(), 'kakehashi-cli-'))
const at = (name: string): string => join(dir, name)
let hub: { url: string; close(): Promise<void> }

interface Ran {
  exit: number | null
  out: string
  err: string
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

function agent(...args: string[]): Promise<Ran> {
  const child = start(args)
  const ran: Ran = { exit: null, out: '', err: '' }
  child.stdout?.on('data', (chunk) => (ran.out += String(chunk)))
  child.stderr?.on('data', (chunk) => (ran.err += String(chunk)))
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...ran, exit: code })))
}

beforeAll(async () => {
  const env = systemEnv()
  const store = await openGatewayStore(new DatabaseSync(':memory:'), env)
  const gateway = createGateway({
    env,
    store,
    key: newSigningKey(env),
    operator: { operator: operatorId('op-1'), name: '認定事業者', address: '東京都千代田区1-1' },
    vault: { box: newBoxKey(env).public, signing: newSigningKey(env).public },
    log: silentLog,
  })
  const code = (text: string, expiresAt: number) => ({
    code_hash: enrolmentCodeHash(text),
    facility: 'midori',
    expires_at: expiresAt,
    used_at: null,
    agent: null,
  })
  await store.db
    .insertInto('gateway_enrolment')
    .values([
      code('GOOD-CODE-0001', env.now() + HOUR),
      code('LATE-CODE-0002', env.now() - HOUR),
      code('GOOD-CODE-0003', env.now() + HOUR),
    ])
    .execute()
  hub = await serveGateway(gateway, { host: '127.0.0.1', port: 0 })
  writeFileSync(
    at('Patient.ndjson'),
    `${JSON.stringify({ resourceType: 'Patient', id: '0001', birthDate: '1950-06-01' })}\n`,
  )
})

afterAll(async () => {
  await hub.close()
  rmSync(dir, { recursive: true, force: true })
})

const init = (code: string, home: string, url = hub.url) =>
  agent('init', '--hub', url, '--code', code, '--facility', 'midori', '--dir', at(home), '--source', dir)

test('a wrong, an expired and a used code each end with their own reason and a next step, in Japanese', async () => {
  const [wrong, late, plain] = await Promise.all([
    init('NO-SUCH-CODE', 'w'),
    init('LATE-CODE-0002', 'l'),
    init('GOOD-CODE-0001', 'p', 'http://gateway.example.jp'),
  ])
  expect([wrong.exit, late.exit, plain.exit]).toEqual([2, 2, 2])
  expect(wrong.err).toContain('[CODE_WRONG] 登録コードが正しくありません。')
  expect(late.err).toContain('[CODE_EXPIRED] 登録コードの期限が切れています。')
  expect(plain.err).toContain('[PLAIN_HTTP]')
  for (const ran of [wrong, late, plain]) expect(ran.err).toContain('次にすること:')

  const good = await init('GOOD-CODE-0001', 'a')
  expect(good).toMatchObject({ exit: 0 })
  expect(good.out).toMatch(/鍵の指紋: [0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4}/)
  for (const name of ['keys.json', 'hub.json', 'config.json', 'agent.sqlite'])
    expect(statSync(join(at('a'), name)).mode & 0o077).toBe(0)
  const used = await init('GOOD-CODE-0001', 'u')
  expect(used).toMatchObject({ exit: 2 })
  expect(used.err).toContain('[CODE_USED] 登録コードは使用済みです。')
  expect(existsSync(join(at('u'), 'hub.json'))).toBe(false)
})

test('an SS-MIX2 storage is known by its layout; it is probed, counted, examined and read', async () => {
  const file = { patient: '0000123456', kind: 'ADT-00', at: '20260101000000000' }
  const storage = join(dir, 'ssmix2')
  const path = pathOf(storage, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, jis(adt00(file.patient)))
  utimesSync(path, OLD, OLD)
  const home = at('ssmix2-agent')
  const words = ['init', '--hub', hub.url, '--code', 'GOOD-CODE-0003', '--facility', 'midori', '--dir', home]
  expect(await agent(...words, '--source', storage)).toMatchObject({ exit: 0 })
  expect(JSON.parse(readFileSync(join(home, 'config.json'), 'utf8')).sources).toEqual([
    { id: 'ehr', kind: 'ssmix2', folder: storage },
  ])
  const [probe, doctor, dry] = await Promise.all([
    agent('sources', 'probe', '--dir', home),
    agent('doctor', '--dir', home),
    agent('sources', 'sweep', '--dry-run', '--dir', home),
  ])
  expect(probe.out).toContain('SS-MIX2標準化ストレージ')
  expect(probe).toMatchObject({ exit: 0 })
  expect(probe.out).toContain('読めます')
  expect(doctor.out).toContain('OK  電子カルテ: ehr: SS-MIX2標準化ストレージ')
  expect(dry.out).toMatch(/ehr +1 +1 +0/)
  expect(dry.out).toContain('何も書き換えていません')
  const read = await agent('sources', 'read', 'ehr', '--dir', home, '--json')
  expect(JSON.parse(read.out)).toMatchObject({ seen: 1, added: 1, faults: [] })
  const other = await agent('sources', 'read', 'ehr2', '--dir', home)
  expect(other).toMatchObject({ exit: 2 })
  rmSync(storage, { recursive: true })
  const gone = await agent('sources', 'probe', '--dir', home)
  expect(gone.out).toContain('接続できません')
  expect(gone).toMatchObject({ exit: 1 })
})

test('an agent that is not enrolled says so; wrong use ends with 2', async () => {
  const [stranger, misused] = await Promise.all([agent('status', '--dir', at('none')), agent('dance')])
  expect(stranger.exit).toBe(2)
  expect(stranger.err).toContain('agent init')
  expect(misused.exit).toBe(2)
})

test('doctor names what is wrong and ends with 1; the dry run reconciles; verify and backup work while it runs', async () => {
  const home = at('a')
  const [doctor, dry, verify] = await Promise.all([
    agent('doctor', '--dir', home, '--json'),
    agent('dry-run', '--dir', home, '--json'),
    agent('verify', '--dir', home, '--json'),
  ])
  const findings = JSON.parse(doctor.out) as { check: string; ok: boolean; remedy: string | null }[]
  expect(doctor.exit).toBe(1)
  expect(findings.length).toBeGreaterThanOrEqual(10)
  const bad = findings.filter((f) => !f.ok)
  expect(bad.map((f) => f.check)).toEqual(['法人・お知らせ・届出', '認定の状況'])
  for (const finding of bad) expect(finding.remedy).toMatch(/[ぁ-ん]/)
  expect(JSON.parse(dry.out)).toMatchObject({ source: { patients: 1, records: 1 }, reconciles: true })
  expect(JSON.parse(verify.out)).toMatchObject({ ok: true })
})

test('it runs, refuses a second process, stops when asked, and a backup restores elsewhere', async () => {
  const home = at('a')
  const config = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'))
  writeFileSync(join(home, 'config.json'), JSON.stringify({ ...config, counter: { port: 0 } }))
  const running = start(['run', '--dir', home])
  let log = ''
  running.stdout?.on('data', (chunk) => (log += String(chunk)))
  const ended = new Promise<number | null>((resolve) => running.on('close', resolve))
  while (!log.includes('round.done')) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(log).toContain('"event":"counter.listening"')

  const second = await agent('run', '--dir', home)
  expect(second.exit).toBe(2)
  expect(second.err).toContain('もう動いています')
  const backup = await agent('backup', '--dir', home, '--out', at('backup'))
  expect(backup).toMatchObject({ exit: 0 })
  running.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(log).toContain('agent.stopped')
  expect(log).not.toContain('0001')

  expect(await agent('restore', '--dir', at('r'), '--from', at('backup'))).toMatchObject({ exit: 0 })
  const status = await agent('status', '--dir', at('r'), '--json')
  expect(JSON.parse(status.out)).toMatchObject({ toRead: 1 })
})
