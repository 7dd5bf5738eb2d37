import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Treated } from '../anonymization/disclosure.ts'
import { intruderWins, type Attack } from '../anonymization/intruder.ts'
import { profileHash, type Profile } from '../anonymization/profile.ts'
import { recheck, type Check } from '../anonymization/recheck.ts'
import { treatUntilItResists } from '../anonymization/resist.ts'
import { riskPage } from '../anonymization/report-page.ts'
import { riskReport } from '../anonymization/report.ts'
import { allRows, Staging } from '../anonymization/staging.ts'
import { writeTables, type WrittenTable } from '../anonymization/tables.ts'
import { withDuckDB, withMemory } from '../content/memory.ts'
import { settle } from '../content/settle.ts'
import { codebook } from './codebook.ts'
import { gather, type Gathered } from './cohort.ts'
import type { Application } from './application.ts'
import type { ReleaseContext } from './context.ts'
import { signPackage } from './manifest.ts'
import { scanPackage, type Finding } from './scan.ts'

/** The package did not pass its own tests: nothing of it is kept. */
export class BuildRefused extends Error {
  override name = 'BuildRefused'
  readonly findings: readonly (Finding | { kind: 'check' | 'intruder'; place: string })[]
  constructor(findings: readonly (Finding | { kind: 'check' | 'intruder'; place: string })[]) {
    super(
      `the package failed its checks: ${[...new Set(findings.map((f) => `${f.kind} in ${f.place}`))].join('; ')}`,
    )
    this.findings = findings
  }
}

export interface BuiltPackage {
  build: string
  directory: string
  digest: string
  fingerprint: Uint8Array
  /** People and charts that are in the package, with what hides them. */
  members: { person: string; pseudonym: string; offsetDays: number; charts: string[] }[]
  rows: number
  smallestClass: number
  sentences: string[]
}

/**
 * Makes one package: anonymised tables are treated and written in memory-backed files; only what passed the second
 * count and the scan reaches `directory`.
 */
export async function buildPackage(
  context: ReleaseContext,
  release: { id: string; digest: string },
  application: Application,
  profile: Profile,
): Promise<BuiltPackage> {
  await settle(context.content)
  const build = context.env.id()
  const directory = join(context.directory, release.id, build)
  const fingerprint = context.env.random(32)
  return withMemory(context.content.memory, (memory) =>
    withDuckDB(memory, async (db) => {
      const out = join(memory, 'package')
      await mkdir(join(out, 'tables'), { recursive: true })
      const staging = await Staging.open(db, profile)
      const gathered = await gather(context, application, profile, staging, fingerprint)
      const { treated, attacks, strictness } = await treatUntilItResists(db, profile, context.env)
      const tables = await writeTables(db, profile, join(out, 'tables'))
      const written = await recheck(db, profile, join(out, 'tables'))
      const hash = profileHash(profile)
      const risk = riskReport(profile, hash, { treated, attacks, strictness }, written)
      await writeDocuments(out, { profile, hash, tables, gathered, treated, risk, application })
      const failed = failures(profile, written.checks, attacks)
      const digest = await signPackage(
        out,
        {
          release: release.id,
          build,
          title: application.title,
          madeAt: new Date(context.env.now()).toISOString(),
          profile: { name: profile.name, version: profile.version, hash },
          application: release.digest,
          tables,
          k: { wanted: profile.privacy.k, smallest: written.smallestClass },
        },
        context.signing,
      )
      const hospitalWords = [...(await context.hospitalWords()), ...facilitiesOf(gathered)]
      const cohort = { charts: gathered.charts, hospitalWords }
      const found = await scanPackage(db, profile, out, cohort, context.identity.db)
      if (failed.length + found.length > 0) throw new BuildRefused([...failed, ...found])
      await rm(directory, { recursive: true, force: true })
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await cp(out, directory, { recursive: true })
      return {
        build,
        directory,
        digest,
        fingerprint,
        members: await membersOf(db, profile, gathered),
        rows: tables.reduce((n, t) => n + t.rows, 0),
        smallestClass: written.smallestClass,
        sentences: risk.sentences,
      }
    }),
  )
}

function failures(
  profile: Profile,
  checks: readonly Check[],
  attacks: readonly Attack[],
): { kind: 'check' | 'intruder'; place: string }[] {
  const failed = checks.filter((c) => !c.ok).map((c) => ({ kind: 'check' as const, place: c.check }))
  return intruderWins(attacks, profile.privacy.singledOutMax)
    ? [...failed, { kind: 'intruder', place: 'one known event' }]
    : failed
}

function facilitiesOf(gathered: Gathered): string[] {
  return [...new Set([...gathered.charts.keys()].map((chart) => chart.slice(0, chart.indexOf('/'))))]
}

async function membersOf(
  db: Parameters<typeof allRows>[0],
  profile: Profile,
  gathered: Gathered,
): Promise<BuiltPackage['members']> {
  const released = new Set(
    (await allRows(db, `SELECT person FROM "${profile.persons.view}"`)).map((r) => String(r[0])),
  )
  const charts = new Map<string, string[]>()
  for (const [chart, person] of gathered.charts) charts.set(person, [...(charts.get(person) ?? []), chart])
  return [...gathered.persons]
    .filter(([, disguise]) => released.has(disguise.pseudonym))
    .map(([person, disguise]) => ({ person, ...disguise, charts: charts.get(person) ?? [] }))
}

async function writeDocuments(
  out: string,
  made: {
    profile: Profile
    hash: string
    tables: WrittenTable[]
    gathered: Gathered
    treated: Treated
    risk: ReturnType<typeof riskReport>
    application: Application
  },
): Promise<void> {
  const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`
  const processing = {
    profile: { name: made.profile.name, version: made.profile.version, hash: made.hash },
    purpose: made.application.purpose,
    counts: made.gathered.counts,
    generalisation: made.risk.generalisation,
    suppressedPersons: made.treated.generalised.suppressed,
    events: made.treated.events,
    criteria: made.risk.criteria,
  }
  await writeFile(join(out, 'codebook.json'), json(codebook(made.profile, made.tables)))
  await writeFile(join(out, 'processing.json'), json(processing))
  await writeFile(join(out, 'risk.json'), json(made.risk))
  await writeFile(join(out, 'risk.html'), riskPage(made.risk))
}
