import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** LAW §11 asks for a test of each trap, named after it; R1–R23 and R27 likewise. */
const ROOT = new URL('../..', import.meta.url).pathname

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return testFiles(path)
    return entry.name.endsWith('.test.ts') ? [path] : []
  })
}

function titles(): string[] {
  const folders = ['agent', 'hub', 'protocol', 'test'].map((folder) => join(ROOT, folder))
  return folders.flatMap(testFiles).flatMap((file) => titlesIn(readFileSync(file, 'utf8')))
}

function titlesIn(text: string): string[] {
  return [...text.matchAll(/\btest\(\s*(['"`])((?:[TRS]\d+ ?)+)/g)].map((match) => match[2] ?? '')
}

const named = new Set(titles().flatMap((title) => title.trim().split(' ')))

test('every trap T1–T36 of LAW §11 is a test named after it', () => {
  const missing = Array.from({ length: 36 }, (_, i) => `T${i + 1}`).filter((trap) => !named.has(trap))
  expect(missing).toEqual([])
})

test('every requirement R1–R23, R27, R53 of LAW §9 is a test named after it', () => {
  const wanted = [...Array.from({ length: 23 }, (_, i) => `R${i + 1}`), 'R27', 'R53']
  expect(wanted.filter((requirement) => !named.has(requirement))).toEqual([])
})
