import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv } from '@kakehashi/protocol/env'
import { openBatch } from '@kakehashi/protocol/envelope'
import { toBase64 } from '@kakehashi/protocol/signing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { HospitalHand, notice, patientState } from '../hospital.fixture.ts'
import { initHub } from '../init.ts'
import { openVault, type OpenVault } from '../vault/opening.ts'
import { offerEnrolment } from '../vault/enrolment.ts'
import { createVault } from '../vault/vault.ts'
import { remote } from '../wire.ts'
import type { Gateway } from './gateway.ts'

const MARKER = 'KAKEHASHI-PLANTED-PLAINTEXT-MARKER'
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const env = systemEnv()
const dir = mkdtempSync(join(tmpdir(), 'kakehashi-wall-'))
let gateway: ReturnType<typeof spawn> | undefined
let vault: OpenVault | undefined
let sealed: Uint8Array = new Uint8Array(0)
let log = ''

async function startGateway(): Promise<string> {
  const main = join(import.meta.dirname, '../main.ts')
  const child = spawn(process.execPath, [main, 'gateway', '--dir', dir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  gateway = child
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the gateway ended: ${log}`)))
    const listen = (chunk: Buffer): void => {
      log += chunk.toString()
      const ready = /"event":"ready".*"port":(\d+)/.exec(log)
      if (ready) resolve(`http://127.0.0.1:${ready[1]}`)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
  })
}

/** A real gateway process that was given a sealed batch with the marker in it, and the vault that can open it. */
beforeAll(async () => {
  const asked = { dir, operator: 'op-1', name: '架け橋機構', address: '東京都', phone: null, postgres: null }
  initHub({ ...asked, gatewayPort: 0, portalPort: 0, consolePort: 0, profile: 'trial' }, env)
  const caller = remote(await startGateway())
  vault = await openVault(dir, env, () => {}, { gateway: caller, portal: null })
  const core = createVault(vault.parts)
  const offer = await offerEnrolment(vault.ops, { facility: 'hospital-a' as never, by: 'staff', hours: 1 })
  await core.round()
  const far = { handle: caller } as unknown as Gateway
  const hand = await HospitalHand.enrol(env, far, 'hospital-a' as never, offer.code)
  await core.round()
  const given = { deliveredAt: env.now() - 90 * 24 * 3600_000 }
  const state = patientState(hand.facility, '4711', { notices: [notice(given)] })
  const content = hand.content(state)
  const marked = new TextEncoder().encode(
    JSON.stringify({ resourceType: 'Observation', id: 'o', note: MARKER }),
  )
  content.records = content.records.map((record) => ({ ...record, payload: marked }))
  sealed = (await hand.send(content)).bytes
})

afterAll(async () => {
  await vault?.close()
  gateway?.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) yield join(entry.parentPath, entry.name)
}

function inFiles(folder: string, needle: string | Buffer): string[] {
  return [...files(folder)].filter((path) => readFileSync(path).includes(needle))
}

/** Every needle found in the writable memory of the process. */
function inMemory(pid: number, needles: readonly string[]): Set<string> {
  const found = new Set<string>()
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const patterns = needles.map(
    (needle) => [needle, Buffer.from(needle), Buffer.from(needle, 'utf16le')] as const,
  )
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
      if (!match) continue
      const [start, end] = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)]
      if (!Number.isSafeInteger(end)) continue
      const chunk = Buffer.alloc(Math.min(end - start, 1 << 24))
      for (let at = start; at < end; at += chunk.length - 256) {
        const bytes = readAt(memory, chunk, at, Math.min(chunk.length, end - at))
        for (const [needle, utf8, utf16] of patterns)
          if (bytes.includes(utf8) || bytes.includes(utf16)) found.add(needle)
        if (at + chunk.length >= end) break
      }
    }
  } finally {
    closeSync(memory)
  }
  return found
}

function readAt(file: number, chunk: Buffer, at: number, length: number): Buffer {
  try {
    return chunk.subarray(0, readSync(file, chunk, 0, length, at))
  } catch {
    return chunk.subarray(0, 0)
  }
}

test('S6 a planted plaintext marker is in no file of the gateway’s folder', () => {
  expect(inFiles(join(dir, 'gateway'), 'hospital-a').length).toBeGreaterThan(0)
  expect(inFiles(join(dir, 'gateway'), MARKER)).toEqual([])
  expect(inFiles(join(dir, 'gateway'), '患者4711')).toEqual([])
})

test('S6 a planted plaintext marker is not in the gateway’s memory, nor is any key of the vault', (context) => {
  if (process.platform !== 'linux') return context.skip('left out: reads /proc/PID/mem, which only Linux has')
  const keys = vault!.parts.keys
  const found = inMemory(gateway!.pid!, ['hospital-a', MARKER, '患者4711', toBase64(keys.box.secret)])
  expect([...found]).toEqual(['hospital-a'])
  for (const { secret } of [keys.box, keys.signing, keys.audit]) {
    expect(inFiles(join(dir, 'gateway'), Buffer.from(secret))).toEqual([])
    expect(inFiles(join(dir, 'gateway'), toBase64(secret))).toEqual([])
  }
})

test('S6 the vault, which may, does open it: the marker was really inside', () => {
  const { records } = openBatch(sealed, vault!.parts.keys.box)
  expect(records.map((record) => new TextDecoder().decode(record.payload)).join('')).toContain(MARKER)
})

test('T56 the gateway’s log names hospitals and codes, never a patient', () => {
  expect(log).toContain('"event":"ready"')
  expect(log).not.toContain('4711')
})
