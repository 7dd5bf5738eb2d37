import { isPatient } from '../content/partition.ts'
import { eachPartition } from '../content/open.ts'
import { text } from '../content/memory.ts'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { FacilityId, PatientKey, PersonKey } from '@kakehashi/protocol/ids'
import { newDisguise, type Disguise } from '../anonymization/persons.ts'
import type { Profile } from '../anonymization/profile.ts'
import { allRows, type Staging } from '../anonymization/staging.ts'
import { addDays } from '@kakehashi/protocol/rules/calendar'
import { tokyoDay } from '../anonymization/dates.ts'
import { compileWalker, type Dropped } from '../anonymization/walker.ts'
import { links } from '../linkage/store.ts'
import type { Application } from './application.ts'
import type { ReleaseContext } from './context.ts'

export interface Gathered {
  persons: Map<PersonKey, Disguise>
  charts: Map<PatientKey, PersonKey>
  counts: {
    resourcesRead: number
    chartsBlocked: number
    unlinked: number
    aboutSeveral: number
    outsideWindow: number
  } & Record<Dropped, number>
}

const BLOCKED_PAGE = 1000

/** Who may be in it: linked charts that are not stopped or erased, narrowed to the cohort asked for. */
export async function eligibleCharts(
  context: ReleaseContext,
  application: Application,
  profile: Profile,
): Promise<{ charts: Map<PatientKey, PersonKey>; blocked: number }> {
  const charts = new Map<PatientKey, PersonKey>()
  let page: PatientKey[] = []
  let blocked = 0
  const drop = async (): Promise<void> => {
    for (const chart of await context.blocked(page, profile.track)) if (charts.delete(chart)) blocked++
    page = []
  }
  for await (const { patient, person } of links(context.identity.db)) {
    charts.set(patient, person)
    if (page.push(patient) >= BLOCKED_PAGE) await drop()
  }
  await drop()
  const { diagnoses } = application.cohort
  if (!diagnoses) return { charts, blocked }
  const wanted = new Set<PersonKey>()
  const sql = diagnosedSql(diagnoses)
  await eachPartition(context.content, async (db) => {
    for (const [owner] of await allRows(db, sql)) {
      const person = charts.get(owner as PatientKey)
      if (person) wanted.add(person)
    }
  })
  for (const [chart, person] of charts) if (!wanted.has(person)) charts.delete(chart)
  return { charts, blocked }
}

function diagnosedSql({ system, prefixes }: NonNullable<Application['cohort']['diagnoses']>): string {
  const like = prefixes.map((p) => `starts_with(code, ${text(p)})`).join(' OR ')
  return `SELECT DISTINCT owner FROM content WHERE type = 'Condition' AND system = ${text(system)} AND (${like})`
}

/** Streams the cohort's records, one partition open at a time, through the profile's walker into the staged tables. */
export async function gather(
  context: ReleaseContext,
  application: Application,
  profile: Profile,
  staging: Staging,
  fingerprint: Uint8Array,
): Promise<Gathered> {
  const { charts, blocked } = await eligibleCharts(context, application, profile)
  const persons = new Map<PersonKey, Disguise>()
  for (const person of charts.values())
    if (!persons.has(person)) persons.set(person, newDisguise(context.env, fingerprint, profile.dates))
  const gathered: Gathered = {
    persons,
    charts,
    counts: {
      resourcesRead: 0,
      chartsBlocked: blocked,
      unlinked: 0,
      aboutSeveral: 0,
      outsideWindow: 0,
      'no-rule': 0,
      'modifier-extension': 0,
      'not-required-status': 0,
    },
  }
  const walker = compileWalker(profile)
  const types = walker.types.map((t) => text(t)).join(', ')
  await eachPartition(context.content, async (db) => {
    for await (const row of contentRows(db, types))
      take(row, gathered, application, walker, staging, profile.dates.edgeMarginDays)
  })
  staging.finish()
  return gathered
}

interface ContentRow {
  owner: PatientKey | FacilityId
  type: string
  people: number
  seq: number
  effective: string | null
  payload: string
}

async function* contentRows(db: DuckDBConnection, types: string): AsyncGenerator<ContentRow> {
  const result = await db.stream(
    `SELECT owner, type, people, seq, effective, payload FROM content WHERE type IN (${types}) ORDER BY owner, seq`,
  )
  for await (const rows of result.yieldRowsJs())
    for (const [owner, type, people, seq, effective, payload] of rows)
      yield {
        owner: owner as PatientKey,
        type: type as string,
        people: Number(people),
        seq: Number(seq),
        effective: effective as string | null,
        payload: payload as string,
      }
}

function take(
  row: ContentRow,
  gathered: Gathered,
  application: Application,
  walker: ReturnType<typeof compileWalker>,
  staging: Staging,
  edgeMarginDays: number,
): void {
  const { counts } = gathered
  counts.resourcesRead++
  const person = isPatient(row.owner) ? gathered.charts.get(row.owner) : undefined
  const disguise = person && gathered.persons.get(person)
  if (!disguise) return void counts.unlinked++
  // @NOTE a record about two people (mother and child) would link them: neither gets it.
  if (row.people !== 1) return void counts.aboutSeveral++
  if (!insideWindow(row, application, edgeMarginDays)) return void counts.outsideWindow++
  const walked = walker.walk(row.type, row.payload, { ...disguise, asOf: application.asOf })
  if ('dropped' in walked) counts[walked.dropped]++
  else staging.add(walked.kept, row.seq)
}

/** The window asked for, less a margin at both ends, on the day in Tokyo; coarser dates pass only well inside. */
function insideWindow(row: ContentRow, application: Application, edgeMarginDays: number): boolean {
  const { window } = application.cohort
  if (!window || row.type === 'Patient') return true
  const day = row.effective === null ? null : (tokyoDay(row.effective) ?? row.effective)
  if (day === null) return false
  return day >= addDays(window.from, edgeMarginDays) && day <= addDays(window.to, -edgeMarginDays)
}
