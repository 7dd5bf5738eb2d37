import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const PACKAGES = ['protocol/ui', 'protocol/store', 'protocol', 'agent', 'hub']

interface Source {
  /** Path from the root, `/` separated. */
  path: string
  text: string
  imports: string[]
}

const sources = PACKAGES.filter((p) => p.indexOf('/') < 0).flatMap((p) => [...walk(p)])

function* walk(folder: string): Generator<Source> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.name === 'node_modules') continue
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) yield read(path)
  }
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)
  return { path, text, imports: [...found].map((m) => resolved(path, m[1] ?? '')) }
}

/** A path from the root for our own files, the bare name for a package. */
function resolved(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return relative(ROOT, resolve(ROOT, dirname(from), specifier))
  const own = /^@kakehashi\/(protocol|store|ui|agent|hub)\/(.+)$/.exec(specifier)
  if (!own) return specifier
  const home = own[1] === 'store' || own[1] === 'ui' ? `protocol/${own[1]}` : own[1]
  return `${home}/src/${own[2]}.ts`
}

function packageOf(path: string): string {
  return PACKAGES.find((p) => path.startsWith(`${p}/`)) ?? path
}

/** Every `path → import` that breaks the rule. */
function offences(
  applies: (s: Source) => boolean,
  breaks: (imported: string, s: Source) => boolean,
): string[] {
  return sources
    .filter(applies)
    .flatMap((s) => s.imports.filter((i) => breaks(i, s)).map((i) => `${s.path} → ${i}`))
}

test('the walk of the import graph sees the house', () => {
  expect(sources.length).toBeGreaterThan(60)
  expect(sources.flatMap((s) => s.imports).filter((i) => i.startsWith('protocol/')).length).toBeGreaterThan(
    100,
  )
})

test('protocol imports nothing of ours', () => {
  const own = (i: string) =>
    /^(agent|hub|test)\//.test(i) || i.startsWith('protocol/store') || i.startsWith('protocol/ui')
  expect(offences((s) => packageOf(s.path) === 'protocol', own)).toEqual([])
})

test('the store stands on protocol alone, and the components on no flow', () => {
  const beyond = (i: string) => /^(agent|hub|test)\//.test(i)
  expect(offences((s) => s.path.startsWith('protocol/'), beyond)).toEqual([])
})

test('agent and hub never import each other, and neither imports the tests', () => {
  expect(
    offences(
      (s) => s.path.startsWith('agent/'),
      (i) => /^(hub|test)\//.test(i),
    ),
  ).toEqual([])
  expect(
    offences(
      (s) => s.path.startsWith('hub/'),
      (i) => /^(agent|test)\//.test(i),
    ),
  ).toEqual([])
})

test('gateway and portal never import what only the vault may know', () => {
  const core = /^hub\/src\/(vault|admission|identity|content|linkage|anonymization|release)\//
  expect(
    offences(
      (s) => /^hub\/src\/(gateway|portal)\//.test(s.path),
      (i) => core.test(i),
    ),
  ).toEqual([])
})

test('only pages import the components', () => {
  const mayShow =
    /^(protocol\/ui|agent\/src\/(counter|office|papers)|hub\/src\/(console|portal))\/|\/main\.ts$/
  expect(
    offences(
      (s) => !mayShow.test(s.path),
      (i) => i.startsWith('protocol/ui/'),
    ),
  ).toEqual([])
})

test('rules are pure: they import protocol and other rules only, and never wait', () => {
  const rules = (s: Source) => s.path.endsWith('/rules.ts') || /\/rules\//.test(s.path)
  const pure = (i: string) =>
    i.startsWith('protocol/src/') || i.endsWith('/rules.ts') || i === '@holiday-jp/holiday_jp'
  expect(offences(rules, (i) => !pure(i))).toEqual([])
  expect(
    sources
      .filter((s) => rules(s) && /\bawait\b|\bprocess\.|Math\.random|Date\.now/.test(code(s)))
      .map((s) => s.path),
  ).toEqual([])
})

test('only env, wire, main and the command lines touch clocks, randomness, timers and sockets', () => {
  const edge = /(^|\/)(env|main|commands)\.ts$|(^|\/)wire(-[a-z]+)?\.ts$|\/wire\/|\/commands\//
  const globals =
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(Timeout|Interval)\(|\bcrypto\.randomUUID|\brandomBytes\(|(?<![.\w])fetch\(/
  const net = /^node:(net|tls|http|https|dgram)$|^ws$/
  const outside = (s: Source) => !edge.test(s.path)
  expect(sources.filter((s) => outside(s) && globals.test(code(s))).map((s) => s.path)).toEqual([])
  expect(offences(outside, (i) => net.test(i))).toEqual([])
})

test('nobody imports main', () => {
  expect(
    offences(
      () => true,
      (i) => /\/main\.ts$/.test(i),
    ),
  ).toEqual([])
})

/** Source text without comments and strings, roughly: enough to look for global names. */
function code(s: Source): string {
  return s.text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}
