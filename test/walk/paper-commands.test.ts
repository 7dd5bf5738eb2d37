import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registerOfMidori } from '@kakehashi/agent/imports/world.fixture'
import { installationAt, keepHub, keepKeys, makeDir, writePrivate } from '@kakehashi/agent/installation'
import { provisionsJson } from '@kakehashi/agent/office/provision-export'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { toBase64 } from '@kakehashi/protocol/signing'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** What IT and the privacy officer do with files: records from kiosks, sheets for tomorrow, evidence. */
const MAIN = join(import.meta.dirname, '../../agent/src/main.ts')
const dir = mkdtempSync(join(tmpdir(), 'kakehashi-papers-'))
const at = (name: string): string => join(dir, name)
const today = tokyoDate(Date.now())
let publicKey = ''

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

function agent(
  command: string,
  ...args: string[]
): Promise<{ exit: number | null; out: string; err: string }> {
  const child = start(...command.split(' '), ...args)
  const ran = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => (ran.out += String(chunk)))
  child.stderr?.on('data', (chunk) => (ran.err += String(chunk)))
  return new Promise((resolve) => child.on('close', (exit) => resolve({ ...ran, exit })))
}

const office = (command: string, ...args: string[]) =>
  agent(command, ...args, '--by', 's-02', '--dir', at('a'))

beforeAll(async () => {
  const installation = installationAt(at('a'))
  makeDir(installation)
  const { context, store } = await registerOfMidori({ at: installation.store })
  keepKeys(installation, context.keys)
  keepHub(installation, context.hub)
  const config = { hub: 'https://hub.example', facility: 'midori', portalAddress: 'https://stop.example/' }
  writePrivate(installation.config, JSON.stringify(config))
  publicKey = toBase64(context.keys.signing.public)
  const { operator, operatorName, operatorAddress } = context.hub
  const given = {
    batch: 'b-1',
    provided_at: 1,
    provided_on: '2026-10-05',
    operator,
    track: 'ANON',
    records: 2,
  }
  await store.bookkeep((tx) =>
    tx
      .insertInto('provision')
      .values({ ...given, operator_name: operatorName, operator_address: operatorAddress })
      .execute(),
  )
  const period = { from: '2026-10-01', to: '2026-10-31' }
  let provided = ''
  for await (const line of provisionsJson(context, period)) provided += line
  writeFileSync(at('provided.jsonl'), provided)
  await store.close()
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('R3 import notices: dry run, then for good, then nothing new; refused lines by number; undone', async () => {
  writeFileSync(at('kiosk.csv'), `患者番号,印刷日,印刷番号\n1001,${today},J-1\n9999,${today},J-2\n`)
  const dry = await office('import notices', at('kiosk.csv'), '--dry-run')
  expect(dry).toMatchObject({ exit: 1, err: '' })
  expect(dry.out).toContain('3行目 [PATIENT_UNKNOWN]')
  const real = await office('import notices', at('kiosk.csv'), '--json')
  const { run, recorded, pending } = JSON.parse(real.out)
  expect([recorded, pending]).toEqual([1, 1])
  const again = JSON.parse((await office('import notices', at('kiosk.csv'), '--json')).out)
  expect(again).toMatchObject({ run: null, recorded: 0, known: 1 })
  const backdated = await office('import notices', at('kiosk.csv'), '--approved-by', 's-09')
  expect(backdated.err).toContain('職員の暗証番号が要ります')
  const undone = await office('import undo', run)
  expect(undone.out).toContain('取り消した通知: 1 件')
  const other = await office('import notices', at('kiosk.csv'), '--approved-by', 's-02')
  expect(other.exit).toBe(2)
  for (const { out, err } of [dry, real, other]) expect(out + err).not.toContain('9999')
})

test('R3 import adt --listen takes messages over MLLP until it is told to end', async () => {
  const child = start(...['import', 'adt', '--listen', '127.0.0.1:0', '--by', 's-02', '--dir', at('a')])
  const { port } = await new Promise<{ port: number }>((resolve) =>
    child.stdout?.once('data', (line) => resolve(JSON.parse(String(line)))),
  )
  const stamp = `${today.replaceAll('-', '')}0001`
  const message = `MSH|^~\\&|K|M|||${stamp}||ADT^A04|C-1|P|2.5\rEVN|A04|${stamp}\rPID|1||1002\rPV1|1|O${'|'.repeat(17)}V-9\rZNT|1\r`
  const socket = connect(port, '127.0.0.1')
  const answer = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
  socket.write(Buffer.concat([Buffer.of(0x0b), Buffer.from(message), Buffer.of(0x1c, 0x0d)]))
  expect(await answer).toContain('MSA|AA|C-1|')
  socket.destroy()
  const ended = new Promise((resolve) => child.on('close', resolve))
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(JSON.parse((await agent('import list', '--dir', at('a'), '--json')).out)[0]).toMatchObject({
    kind: 'adt',
    entries: 1,
  })
})

test('papers print: tomorrow’s appointments become one private file of sheets', async () => {
  writeFileSync(at('tomorrow.csv'), '予約時刻,診察券番号\n9:00,1001\n9:10,1004\n9:20,1005\n')
  const printed = await office('papers print', at('tomorrow.csv'), '--out', at('sheets.html'))
  expect(printed).toMatchObject({ exit: 0, err: '' })
  expect(printed.out).toContain('2枚')
  expect(printed.out).toContain('1004: ご逝去された方です')
  expect(statSync(at('sheets.html')).mode & 0o077).toBe(0)
  const html = readFileSync(at('sheets.html'), 'utf8')
  expect(html.match(/<article/g)).toHaveLength(2)
  expect(html).toContain('stop.example')
  expect(html).toContain('山田 花子 様')
  const [paper] = /P-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(html) ?? ['']
  expect((await office('papers void', paper)).exit).toBe(0)
  expect((await office('papers void', paper)).exit).toBe(2)
  const twice = await office('papers print', at('tomorrow.csv'), '--out', at('sheets.html'))
  expect(twice.exit).not.toBe(0)
})

test('R27 evidence verify: the signed file of records of provision, and one that was changed', async () => {
  const closed = readFileSync(at('provided.jsonl'), 'utf8')
  const whole = await agent('evidence verify', at('provided.jsonl'), '--key', publicKey)
  expect(whole).toMatchObject({ exit: 0, err: '' })
  expect(whole.out).toContain('提供 1件')
  writeFileSync(at('changed.jsonl'), closed.replace('"records":2', '"records":3'))
  const changed = await agent('evidence verify', at('changed.jsonl'), '--key', publicKey)
  expect(changed).toMatchObject({ exit: 1, err: '' })
  expect(changed.out).toContain('書き換えられているか')
})

test('R52 evidence make and verify: a folder or a ZIP, with nothing but a public key', async () => {
  for (const [out, scope] of [
    ['person', ['--patient', '1002']],
    ['year.zip', ['--from', '2026-10-01', '--to', '2030-12-31']],
  ] as const) {
    const made = await office('evidence make', ...scope, '--out', at(out))
    expect(made).toMatchObject({ exit: 0, err: '' })
    const verified = await agent('evidence verify', at(out), '--key', publicKey)
    expect(verified).toMatchObject({ exit: 0, err: '' })
    expect(verified.out).toContain('すべて正しいことを確かめました。')
  }
  writeFileSync(join(at('person'), 'provisions.ndjson'), '{}\n')
  const altered = await agent('evidence verify', at('person'), '--key', publicKey)
  expect(altered.exit).toBe(1)
  expect(altered.out).toContain('file-altered provisions.ndjson')
  expect((await office('evidence make', '--patient', '77', '--out', at('x'))).exit).toBe(2)
})
