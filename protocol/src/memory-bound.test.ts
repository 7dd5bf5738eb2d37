import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const MODULE = pathToFileURL(join(import.meta.dirname, 'memory-bound.ts')).href
const PROGRAM = `const { boundMemory } = await import('${MODULE}'); boundMemory()
  console.log(JSON.stringify({ pid: process.pid, options: process.execArgv, young: process.env.YOUNG }))`

function started(options: string[]): {
  pid: number
  options: string[]
  young: string
  itself: number | undefined
} {
  const { stdout, pid } = spawnSync(process.execPath, [...options, '--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, NODE_OPTIONS: '', YOUNG: 'kept' },
    encoding: 'utf8',
  })
  return { ...(JSON.parse(stdout) as { pid: number; options: string[]; young: string }), itself: pid }
}

test.skipIf(process.platform === 'win32')('a plain start bounds its memory, in the same process', () => {
  const plain = started([])
  expect(plain.options[0]).toBe('--max-semi-space-size=4')
  expect(plain.pid).toBe(plain.itself)
  expect(plain.young).toBe('kept')
})

test('whoever gave a bound keeps it', () => {
  expect(started(['--max-semi-space-size=16']).options).not.toContain('--max-semi-space-size=4')
})
