import type { PatientEvent } from '@kakehashi/protocol/events'
import { parsePatientKey, type PatientKey } from '@kakehashi/protocol/ids'
import { addDays, birthdayAt, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { foldPatient } from '@kakehashi/protocol/rules/fold'
import type { PatientState } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { chartsOf, eventsOf, type RegisterReader } from './read.ts'

const ROWS_PER_READ = 4000

interface Folded {
  patient: PatientKey
  state: PatientState
  events: readonly PatientEvent[]
}

/** Charts that were ever linked with another one: their events are read together. */
async function linkedCharts(db: RegisterReader): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('register_event')
    .select(['patient', 'other'])
    .where('other', 'is not', null)
    .execute()
  return new Set(rows.flatMap((row) => [row.patient ?? '', row.other ?? '']))
}

/**
 * Everybody in the register by chart number, in reads of bounded size: a hospital's hundred thousand never lie in memory
 * together.
 */
export async function* everybody(db: RegisterReader): AsyncGenerator<Folded> {
  const linked = await linkedCharts(db)
  for (let from = ''; ;) {
    const rows = await db
      .selectFrom('register_event')
      .select(['patient', 'body'])
      .where('patient', '>', from)
      .orderBy('patient')
      .orderBy('seq')
      .limit(ROWS_PER_READ)
      .execute()
    const groups = new Map<string, string[]>()
    for (const { patient, body } of rows)
      if (patient !== null) groups.set(patient, [...(groups.get(patient) ?? []), body])
    const charts = [...groups.keys()]
    const whole = rows.length < ROWS_PER_READ
    // the last chart of a full read may go on in the next
    if (!whole && charts.length > 1) charts.pop()
    for (const chart of charts) {
      const patient = parsePatientKey(chart)
      const complete = whole || groups.size > 1
      const events =
        linked.has(chart) || !complete
          ? await eventsOf(db, await chartsOf(db, patient))
          : (groups.get(chart) ?? []).map((body) => JSON.parse(body) as PatientEvent)
      yield { patient, state: foldPatient(patient, events), events }
    }
    from = charts.at(-1) ?? from
    if (whole) return
  }
}

/** Children who turn 16 within so many days: their own notice can be prepared. */
export async function turningSixteen(context: AgentContext, days = 31): Promise<PatientKey[]> {
  const now = context.env.now()
  const { ownNoticeAge } = context.rulesAt(now)
  const today = tokyoDate(now)
  const rows = await context.store.db
    .selectFrom('patient_index')
    .select(['patient', 'birth_date'])
    .where('birth_date', '>', birthdayAt(today, -ownNoticeAge))
    .where('birth_date', '<=', birthdayAt(addDays(today, days), -ownNoticeAge))
    .where('deceased_on', 'is', null)
    .orderBy('birth_date')
    .limit(5000)
    .execute()
  return rows.map((row) => parsePatientKey(row.patient))
}
