import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { localNumberOf, type PatientKey, type PersonKey } from '@kakehashi/protocol/ids'
import { allRows } from '../anonymization/staging.ts'
import type { Profile } from '../anonymization/profile.ts'
import { text } from '../content/memory.ts'
import type { Reading } from '../content/reading.ts'
import type { IdentityTables } from '../identity/store.ts'
import { listFiles, MANIFEST } from './manifest.ts'

/** What was found, by kind and file: never the value itself. */
export interface Finding {
  kind: 'source-id' | 'hash-of-id' | 'person-key' | 'hospital' | 'identifier' | 'name' | 'date-text'
  place: string
}

export interface Cohort {
  charts: ReadonlyMap<PatientKey, PersonKey>
  hospitalWords: readonly string[]
}

const HASHES = ['sha256', 'sha1', 'md5', 'sha512'] as const
const WORD_MIN = 3
const NUMBER_MIN = 5
/** Shorter ones turn up in compressed bytes by chance. */
const NEEDLE_BYTES_MIN = 6

/**
 * Looks for the people and hospitals of the cohort in the package that was written: every text cell of every table
 * (Parquet read back), and every byte of every file. The build fails on any finding.
 */
export async function scanPackage(
  db: DuckDBConnection,
  profile: Profile,
  directory: string,
  cohort: Cohort,
  identity: Reading<IdentityTables>,
): Promise<Finding[]> {
  const cells = await distinctCells(db, profile, directory)
  const documents = await documentTexts(directory)
  return [
    ...scanCharts(cells, documents, cohort),
    ...(await scanIdentities(cells, documents, identity, cohort)),
    ...(await scanBytes(directory, cohort.hospitalWords)),
    ...scanDates(documents),
  ]
}

/** Distinct text cells → where. Codes and units passed a closed list and the rare-code rule: they are not compared. */
async function distinctCells(
  db: DuckDBConnection,
  profile: Profile,
  directory: string,
): Promise<Map<string, string>> {
  const cells = new Map<string, string>()
  for (const view of profile.views) {
    const event = profile.events.find((e) => e.view === view.name)
    const parquet = `read_parquet(${text(join(directory, 'tables', `${view.name}.parquet`))})`
    for (const column of view.select.flatMap((s) => s.column)) {
      if (column.type === 'decimal' || column.name === event?.code || column.name === event?.unit) continue
      for (const [cell] of await allRows(db, `SELECT DISTINCT "${column.name}" FROM ${parquet}`))
        if (typeof cell === 'string') cells.set(cell, `${view.name}.${column.name}`)
    }
  }
  return cells
}

async function documentTexts(directory: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const { path } of await listFiles(directory))
    if (!path.startsWith('tables/')) texts.set(path, await readFile(join(directory, path), 'utf8'))
  return texts
}

/** Patient numbers, chart and person keys, as they are and hashed the usual ways. */
function scanCharts(
  cells: ReadonlyMap<string, string>,
  documents: ReadonlyMap<string, string>,
  cohort: Cohort,
): Finding[] {
  const findings: Finding[] = []
  const look = (value: string, kind: Finding['kind'], inDocuments: boolean): void => {
    const cell = cells.get(value)
    if (cell !== undefined) findings.push({ kind, place: cell })
    if (inDocuments && value.length >= NUMBER_MIN)
      for (const [place, document] of documents) if (document.includes(value)) findings.push({ kind, place })
  }
  for (const [chart, person] of cohort.charts) {
    const local = localNumberOf(chart)
    look(local, 'source-id', !/^\d{1,6}$/.test(local))
    look(chart, 'source-id', true)
    look(person, 'person-key', true)
    for (const id of [local, chart, person])
      for (const hashed of hashesOf(id)) look(hashed, 'hash-of-id', false)
  }
  return findings
}

function hashesOf(id: string): string[] {
  return HASHES.flatMap((name) => {
    const digest = createHash(name).update(id).digest()
    const short = digest.subarray(0, 16)
    return [digest, short].flatMap((d) => [
      d.toString('hex'),
      d.toString('hex').toUpperCase(),
      d.toString('base64'),
      d.toString('base64url'),
    ])
  })
}

async function scanIdentities(
  cells: ReadonlyMap<string, string>,
  documents: ReadonlyMap<string, string>,
  identity: Reading<IdentityTables>,
  cohort: Cohort,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const texts = [...documents]
  for (const charts of pages([...cohort.charts.keys()], 400)) {
    const rows = await identity
      .selectFrom('identity_source')
      .select('payload')
      .where('patient', 'in', charts)
      .execute()
    for (const { payload } of rows)
      for (const [kind, value] of namingTexts(payload)) {
        const cell = cells.get(value)
        if (cell !== undefined) findings.push({ kind, place: cell })
        for (const [place, document] of texts) if (document.includes(value)) findings.push({ kind, place })
      }
  }
  return findings
}

/** Whole names, numbers of identifiers, telephone numbers and address lines of an identity resource. */
function namingTexts(payload: string): [Finding['kind'], string][] {
  const found: [Finding['kind'], string][] = []
  const visit = (node: unknown, key: string): void => {
    if (Array.isArray(node)) for (const n of node) visit(n, key)
    else if (typeof node === 'object' && node !== null)
      for (const [name, value] of Object.entries(node)) visit(value, `${key}.${name}`)
    else if (typeof node === 'string') {
      if (/\.name\.text$|\.address\.(text|line)$/.test(key) && node.length >= WORD_MIN) {
        found.push(['name', node])
        found.push(['name', node.replaceAll(/[\s　]/g, '')])
      }
      if (
        /\.(identifier|telecom)\.value$|valueString$|\.subscriberId$/.test(key) &&
        node.length >= NUMBER_MIN
      )
        found.push(['identifier', node])
    }
  }
  visit(JSON.parse(payload), '')
  return found
}

/** Hospital names, addresses and ids in the raw bytes of every file, also across read boundaries. */
async function scanBytes(directory: string, words: readonly string[]): Promise<Finding[]> {
  const needles = words.map((w) => Buffer.from(w)).filter((bytes) => bytes.length >= NEEDLE_BYTES_MIN)
  const longest = Math.max(0, ...needles.map((n) => n.length))
  const findings: Finding[] = []
  for (const path of [...(await listFiles(directory)).map((f) => f.path), MANIFEST]) {
    let rest = Buffer.alloc(0)
    for await (const part of createReadStream(join(directory, path), { highWaterMark: 1 << 20 }).on(
      'error',
      () => {},
    )) {
      const window = Buffer.concat([rest, part as Buffer])
      if (needles.some((n) => window.includes(n))) findings.push({ kind: 'hospital', place: path })
      rest = window.subarray(Math.max(0, window.length - longest))
    }
  }
  return findings
}

/** A bare number as a JSON value counts something. */
const COUNT = /: \d+(?=[,\n\s}])/g

/** Era dates, compact dates and times belong to no document of a package. */
function scanDates(documents: ReadonlyMap<string, string>): Finding[] {
  const shape = /(令和|平成|昭和)\s*\d+年|\b(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\b/u
  return [...documents]
    .filter(([, document]) => shape.test(document.replaceAll(COUNT, '')))
    .map(([place]) => ({ kind: 'date-text' as const, place }))
}

function* pages<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
