import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const LINES_MAX = 400
const NO_NAME_FOR_A_PLACE = /(^|\/)(utils?|helpers?|common|misc|manager|service)(\/|[.-]|$)/

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  .toString()
  .split('\n')
  .filter((name) => /\.(ts|js|css|md)$/.test(name) && existsSync(join(ROOT, name)))
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')

test('no file is longer than a reader holds in mind', () => {
  const long = files.filter((name) => read(name).split('\n').length - 1 > LINES_MAX)
  expect(long).toEqual([])
})

test('every name says what lies there', () => {
  expect(files.filter((name) => NO_NAME_FOR_A_PLACE.test(name))).toEqual([])
})

/** `a/b` `c` in one cell: `c` lies beside `b`. */
function placesOf(cell: string): string[] {
  const names = [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
  const parent = (names[0] ?? '').split('/').slice(0, -1).join('/')
  return names.map((name, i) => (i === 0 || name.includes('/') ? name : join(parent, name)))
}

test('every folder that the README names is there', () => {
  const map = read('README.md').split('## The map')[1]!.split('\n## ')[0]!
  const places = [...map.matchAll(/^\| (`[^|]+) \|/gm)].flatMap((row) => placesOf(row[1]!))
  expect(places.length).toBeGreaterThan(20)
  expect(places.filter((place) => !existsSync(join(ROOT, place)))).toEqual([])
})

test('every dependency has its line in the README', () => {
  const table = read('README.md').split('## Dependencies')[1]!
  const named = (dependency: string): boolean =>
    table.includes(`\`${dependency}\``) ||
    dependency.startsWith('@types/') ||
    dependency.startsWith('@kakehashi/') ||
    (dependency.startsWith('@medplum/') && table.includes(`\`${dependency.split('/')[1]}\``))
  const manifests = ['', 'protocol', 'protocol/store', 'protocol/ui', 'agent', 'hub', 'test']
  const wanted = manifests.flatMap((folder) => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>
    return Object.entries({ ...dependencies, ...devDependencies })
  })
  expect(wanted.filter(([name]) => !named(name)).map(([name]) => name)).toEqual([])
  const loose = wanted.filter(([name, version]) => !name.startsWith('@kakehashi/') && /[~^*x]/.test(version))
  expect(loose).toEqual([])
})
