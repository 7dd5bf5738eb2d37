import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { enrolmentCodeHash } from '@kakehashi/hub/gateway/enrolment'
import { createGateway } from '@kakehashi/hub/gateway/gateway'
import { openGatewayStore } from '@kakehashi/hub/gateway/store'
import { serveGateway } from '@kakehashi/hub/gateway/wire'
import { systemEnv } from '@kakehashi/protocol/env'
import { operatorId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import { RULES } from '@kakehashi/protocol/rules/rule-file'
import { newBoxKey, newSigningKey } from '@kakehashi/protocol/signing'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** What the privacy officer does without pages: the notice and its filing, and the rule file, by two people. */
const MAIN = join(import.meta.dirname, '../../agent/src/main.ts')
const dir = mkdtempSync(join(tmpdir(), 'kakehashi-office-'))
const at = (name: string): string => join(dir, name)

interface Ran {
  exit: number | null
  out: string
  err: string
}

function agentTold(input: string, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  const ran = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (ran.out += String(chunk)))
  child.stderr.on('data', (chunk) => (ran.err += String(chunk)))
  return new Promise((resolve) => child.on('close', (exit) => resolve({ ...ran, exit })))
}

const agent = (...args: string[]) => agentTold('', ...args)

/** PINs come one a line, as from somebody who types them. */
const proving = (pins: string, command: string, ...args: string[]) =>
  agentTold(pins, ...command.split(' '), ...args, '--pin-stdin', '--dir', at('a'))

const office = (command: string, ...args: string[]) => agent(...command.split(' '), ...args, '--dir', at('a'))

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
  await store.db
    .insertInto('gateway_enrolment')
    .values({
      code_hash: enrolmentCodeHash('GOOD-CODE-0001'),
      facility: 'midori',
      expires_at: env.now() + 3600_000,
      used_at: null,
      agent: null,
    })
    .execute()
  const hub = await serveGateway(gateway, { host: '127.0.0.1', port: 0 })
  const init = await agent(
    ...['init', '--hub', hub.url, '--code', 'GOOD-CODE-0001', '--facility', 'midori'],
    ...['--dir', at('a'), '--source', dir],
  )
  if (init.exit !== 0) throw new Error(init.err)
  await hub.close()
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('R1 R2 the notice comes from a file that starts as an example, whole or not at all; the filing sheet from the notice', async () => {
  const example = await agent('facility', '--example')
  const file = JSON.parse(example.out)
  const write = (change: object): string => {
    writeFileSync(at('facts.json'), JSON.stringify({ ...file, ...change }))
    return at('facts.json')
  }
  const without = { notice: { ...file.notice, acquisitionMethod: '' } }
  const refused = await office('facility', write(without), '--by', 'officer')
  expect(refused.exit).toBe(2)
  expect(refused.err).toContain('notice.acquisitionMethod')
  expect(await office('facility', write({}), '--by', 'officer')).toMatchObject({ exit: 0 })
  expect((await office('facility', write({}), '--by', 'officer')).out).toContain('登録内容は変わりません')
  const sheet = await office('filing-sheet')
  expect(sheet).toMatchObject({ exit: 0, err: '' })
  for (const part of [
    '医療情報の提供に係る届出書',
    '第52条第1項',
    '（法人名）',
    '7　停止の求めを受け付ける方法',
  ])
    expect(sheet.out).toContain(part)
  expect((await office('tasks')).out).toContain('主務大臣に届け出る')
  const filing = { id: 'f-1', acceptedOn: '2026-01-05', filedOn: '2026-01-04', receipt: '受付第1号' }
  expect((await office('facility', write({ filing }), '--by', 'officer')).out).toContain('届出 f-1')
  expect(JSON.parse((await office('tasks', '--json')).out)).toEqual([])
  writeFileSync(at('en.txt'), 'Notice about providing medical information\n')
  const english = await office('notice-text', at('en.txt'), '--language', 'en', '--by', 'officer')
  expect(english.out).toContain('第1版の en の文面を登録しました')
  expect(await office('end-scheme', '--on', '2026-02-30', '--by', 'officer')).toMatchObject({ exit: 2 })
  const ended = await office('end-scheme', '--on', '2026-01-31', '--by', 'officer')
  expect(ended.out).toContain('その日から何も送りません')
  expect((await office('tasks')).out).toContain('提供の終了を届け出る')
  expect((await office('filing-end', 'f-1', '--on', '2026-01-31', '--by', 'officer')).out).toContain('f-1')
})

test('R53 the rule file is proposed by one and approved by another; its history can be read', async () => {
  const next = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10)
  const rules = { ...RULES[0], version: `${next}.1`, effectiveFrom: next, waitDaysMin: 45 }
  writeFileSync(at('rules.json'), JSON.stringify(rules))
  const enter = (pins: string, id: string, ...more: string[]) =>
    agentTold(pins, 'staff', id, '--name', id, '--role', 'privacy', '--dir', at('a'), ...more)
  expect(await enter('493158', 'a')).toMatchObject({ exit: 0 })
  expect((await enter('640271', 'b')).err).toContain('--pin-stdin')
  expect(await enter('493158\n640271', 'b', '--by', 'a', '--pin-stdin')).toMatchObject({ exit: 0 })
  const unproven = await office('rules propose', at('rules.json'), '--by', 'a')
  expect(unproven.err).toContain('--pin-stdin')
  const wrong = await proving('640271', 'rules propose', at('rules.json'), '--by', 'a')
  expect(wrong).toMatchObject({ exit: 2, out: '' })
  const proposed = await proving('493158', 'rules propose', at('rules.json'), '--by', 'a', '--json')
  expect(proposed).toMatchObject({ exit: 0 })
  const { hash } = JSON.parse(proposed.out)
  const alone = await proving('493158', 'rules approve', hash, '--by', 'a')
  expect(alone.exit).not.toBe(0)
  expect(alone.err).toContain('[NOT_ALLOWED]')
  expect(await proving('640271', 'rules approve', hash, '--by', 'b')).toMatchObject({ exit: 0 })
  const { inForce, history } = JSON.parse((await office('rules show', '--json')).out)
  expect(inForce).toBe(RULES[0]!.version)
  expect(history.at(-1)).toMatchObject({
    version: `${next}.1`,
    proposedBy: 'a',
    approvedBy: 'b',
    standing: 'approved',
  })
  expect((await office('rules show')).out).toContain('承認 b')
  writeFileSync(at('rules.json'), JSON.stringify({ ...rules, version: `${next}.2`, waitDaysMin: 10 }))
  const short = await proving('493158', 'rules propose', at('rules.json'), '--by', 'a')
  expect(short.err).toContain('waitDaysMin')
})
