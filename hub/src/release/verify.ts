import { join, resolve } from 'node:path'
import { readFile } from 'node:fs/promises'
import { withDuckDB, withMemory, MEMORY_ROOT, text } from '../content/memory.ts'
import { allRows } from '../anonymization/staging.ts'
import { listFiles, packageDigest, readManifest } from './manifest.ts'

export interface PackageReport {
  ok: boolean
  release: string | null
  digest: string | null
  checks: { check: string; ok: boolean; detail: string }[]
}

/** Checks a package with nothing but its files and the vault's public key. */
export async function verifyPackage(
  directory: string,
  vaultPublic: Uint8Array,
  memory: string = MEMORY_ROOT,
): Promise<PackageReport> {
  const checks: PackageReport['checks'] = []
  const add = (check: string, ok: boolean, detail = ''): void => void checks.push({ check, ok, detail })
  const manifest = await readManifest(directory, vaultPublic).catch(() => null)
  add('signature of the manifest', manifest !== null)
  if (!manifest) return { ok: false, release: null, digest: null, checks }
  const present = await listFiles(directory)
  const listed = new Map(manifest.files.map((f) => [f.path, f]))
  for (const file of present) {
    const wanted = listed.get(file.path)
    listed.delete(file.path)
    add(
      `file ${file.path}`,
      wanted?.sha256 === file.sha256,
      wanted ? `${file.bytes} bytes` : 'not in the manifest',
    )
  }
  for (const path of listed.keys()) add(`file ${path}`, false, 'missing')
  if (checks.every((c) => c.ok)) await recount(directory, manifest, memory, add)
  return { ok: checks.every((c) => c.ok), release: manifest.release, digest: packageDigest(manifest), checks }
}

async function recount(
  directory: string,
  manifest: NonNullable<Awaited<ReturnType<typeof readManifest>>>,
  memory: string,
  add: (check: string, ok: boolean, detail?: string) => void,
): Promise<void> {
  const risk = JSON.parse(await readFile(join(directory, 'risk.json'), 'utf8')) as {
    generalisation: { column: string }[]
  }
  const quasi = risk.generalisation.map((g) => `"${g.column.replaceAll('"', '')}"`).join(', ')
  await withMemory(memory, (scratch) =>
    withDuckDB(
      scratch,
      async (db) => {
        for (const table of manifest.tables) {
          const parquet = `read_parquet(${text(join(resolve(directory), 'tables', `${table.name}.parquet`))})`
          const [row] = await allRows(db, `SELECT count(*)::INTEGER FROM ${parquet}`)
          add(`rows of ${table.name}`, Number(row?.[0]) === table.rows, `${table.rows}`)
        }
        const persons = manifest.tables[0]?.name ?? ''
        const parquet = `read_parquet(${text(join(resolve(directory), 'tables', `${persons}.parquet`))})`
        const [row] = await allRows(
          db,
          `SELECT coalesce(min(n), 0)::INTEGER FROM (SELECT count(*) AS n FROM ${parquet} GROUP BY ${quasi})`,
        )
        const smallest = Number(row?.[0])
        add(
          'smallest class, counted again',
          smallest === manifest.k.smallest && smallest >= manifest.k.wanted,
          `${smallest}, wanted ${manifest.k.wanted}`,
        )
      },
      { also: [resolve(directory)] },
    ),
  )
}
