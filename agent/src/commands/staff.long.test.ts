import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const MAIN = join(import.meta.dirname, '../main.ts')
const dir = mkdtempSync(join(tmpdir(), 'kakehashi-staff-'))
writeFileSync(
  join(dir, 'config.json'),
  JSON.stringify({ hub: 'https://gateway.example.jp', facility: 'midori' }),
)

afterAll(() => rmSync(dir, { recursive: true, force: true }))

function staff(input: string, ...args: string[]): { status: number | null; out: string; err: string } {
  const ran = spawnSync(process.execPath, [MAIN, 'staff', ...args, '--dir', dir], { input, encoding: 'utf8' })
  return { status: ran.status, out: ran.stdout, err: ran.stderr }
}

const OFFICER = ['--by', 's-2', '--pin-stdin']

test('ASVS 6.4.1 staff by the command line: a first PIN told once, roles, disabling, faults in words', () => {
  const made = staff('', 's-1', '--name', '佐藤')
  expect(made.out).toMatch(/最初の暗証番号: \d{8}（一度だけ/)
  const own = staff('246813\n', 's-2', '--name', '高橋', '--role', 'privacy')
  expect([own.status, own.out.includes('暗証番号: ')]).toEqual([0, false])
  const list = staff('', '--list').out
  expect(list).toBe('s-1\t佐藤\t受付\t使用中\ns-2\t高橋\t個人情報担当\t使用中\n')
  expect(list + own.out).not.toContain('246813')
  for (const [input, args, said] of [
    ['246813\n111111', ['s-3', '--name', '中村', ...OFFICER], '続き番号'],
    ['246813', ['s-3', ...OFFICER], '氏名'],
    ['135791', ['s-3', '--name', '中村'], '--pin-stdin'],
    ['246813', ['s-2', '--disable', ...OFFICER], '先に次の人を'],
    ['', ['s-3', '--name', '中村', '--role', 'boss'], 'desk、privacy、it'],
    ['246813\nMIDORI-0001-7Q2X', ['s-1', '--badge', ...OFFICER], 'エージェントの登録のあと'],
    ['', ['職員', '--name', '中村'], '半角の英数字'],
  ] as const) {
    const refused = staff(input, ...args)
    expect(refused.status).not.toBe(0)
    expect(refused.err).toContain(said)
  }
  expect(staff('', '--list').out).toBe(list)
})

test('R46 who can be a second person is made by two, once there are two; first set-up apart', () => {
  const third = ['s-3', '--name', '中村', '--role', 'it']
  expect(staff('246813\n975318', ...third, ...OFFICER).status).toBe(0)
  const fourth = ['s-4', '--name', '森', '--role', 'desk']
  expect(staff('246813\n864209', ...fourth, ...OFFICER).err).toContain('二人が要ります')
  const both = [...OFFICER, '--approved-by', 's-3']
  expect(staff('246813\n975318\n864209', ...fourth, ...both).status).toBe(0)
})
