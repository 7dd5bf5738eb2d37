import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The demonstration itself, on data of the project's own: it throws when a stopped patient is sent or a build slips through. */
test('the whole walk: notice, 31 days, sending, stops, erasure, linkage, two reviews, a verified package', async () => {
  const { code, out } = await demo('--patients', '60')
  expect(out).toMatch(/day 30\. Would leave: 0 patients/)
  expect(out).toMatch(/day 31\. Would leave: [1-9]\d* patients/)
  expect(out).not.toContain('DO NOT AGREE')
  expect(out).toMatch(/two new results were written: 1 arrived/)
  expect(out).toMatch(/pairs linked \d+, right \d+, wrong 0/)
  expect(out).toContain('APPROVED')
  expect(out).toContain('package: データは署名と一致しています')
  expect(code).toBe(0)
})

function demo(...args: string[]): Promise<{ code: number | null; out: string }> {
  const env = { ...process.env, KAKEHASHI_SHARED: '/nowhere', NODE_OPTIONS: '' }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'demo.ts'), ...args], { env })
  let out = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (out += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })))
}
