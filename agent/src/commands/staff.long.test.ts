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

test('ASVS 6.4.1 staff by the command line: a first PIN told once, roles, disabling, faults in words', () => {
  const made = staff('', 's-1', '--name', '佐藤')
  expect(made.out).toMatch(/最初の暗証番号: \d{8}（一度だけ/)
  const own = staff('246813\n', 's-2', '--name', '高橋', '--role', 'privacy')
  expect([own.status, own.out.includes('暗証番号: ')]).toEqual([0, false])
  expect(staff('', 's-2', '--disable').status).toBe(0)
  const list = staff('', '--list').out
  expect(list).toBe('s-1\t佐藤\t受付\t使用中\ns-2\t高橋\t個人情報担当\t停止中\n')
  expect(list + own.out).not.toContain('246813')
  for (const [input, args, said] of [
    ['111111', ['s-3', '--name', '中村'], '続き番号'],
    ['', ['s-3'], '氏名'],
    ['', ['s-3', '--name', '中村', '--role', 'boss'], 'desk、privacy、it'],
    ['MIDORI-0001-7Q2X', ['s-1', '--badge'], 'エージェントの登録のあと'],
    ['', ['職員', '--name', '中村'], '半角の英数字'],
  ] as const) {
    const refused = staff(input, ...args)
    expect(refused.status).not.toBe(0)
    expect(refused.err).toContain(said)
  }
  expect(staff('', '--list').out).toBe(list)
})
