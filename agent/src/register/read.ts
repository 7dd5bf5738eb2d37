import type { Instant } from '@kakehashi/protocol/env'
import type {
  ElectronicSlipAgreed,
  FacilityEvent,
  NoticeGiven,
  PatientEvent,
  RegisterEvent,
  StopAsked,
} from '@kakehashi/protocol/events'
import type {
  FacilityId,
  NoticeId,
  OperatorId,
  PatientKey,
  StopHandle,
  StopId,
} from '@kakehashi/protocol/ids'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { chartsOf as chartsNow } from '@kakehashi/protocol/rules/charts'
import { foldFacility, foldPatient } from '@kakehashi/protocol/rules/fold'
import type {
  FacilityState,
  GateState,
  OperatorState,
  PatientState,
  TemplateFact,
  Track,
} from '@kakehashi/protocol/rules/state'
import type { Kysely } from 'kysely'
import { isErasedChart, shutByRestore } from './restored-state.ts'
import type { RegisterTables } from './store.ts'

/** A transaction or the open database: reading asks for no more. */
export type RegisterReader = Pick<Kysely<RegisterTables>, 'selectFrom'>

const parse = (row: { body: string }): RegisterEvent => JSON.parse(row.body) as RegisterEvent

/** Every chart that was ever declared one person with this one, itself first. */
export async function chartsOf(db: RegisterReader, patient: PatientKey): Promise<PatientKey[]> {
  const found = new Set<PatientKey>([patient])
  for (const chart of found) {
    const rows = await db
      .selectFrom('register_event')
      .select(['patient', 'other'])
      .where('type', 'in', ['charts-merged', 'charts-unmerged'])
      .where((e) => e.or([e('patient', '=', chart), e('other', '=', chart)]))
      .orderBy('seq')
      .execute()
    for (const row of rows) {
      if (row.patient) found.add(row.patient as PatientKey)
      if (row.other) found.add(row.other as PatientKey)
    }
  }
  return [...found]
}

/** Charts that are one person beyond doubt, now: merged with certainty and not un-merged since. */
export async function chartsOfPerson(db: RegisterReader, patient: PatientKey): Promise<PatientKey[]> {
  const linked = await chartsOf(db, patient)
  if (linked.length === 1) return linked
  return [...chartsNow(patient, await eventsOf(db, linked)).same]
}

export async function eventsOf(db: RegisterReader, charts: readonly PatientKey[]): Promise<PatientEvent[]> {
  const rows = await db
    .selectFrom('register_event')
    .select('body')
    .where('patient', 'in', [...charts])
    .orderBy('seq')
    .execute()
  return rows.map((row) => parse(row) as PatientEvent)
}

export async function patientStateOf(db: RegisterReader, patient: PatientKey): Promise<PatientState> {
  return foldPatient(patient, await eventsOf(db, await chartsOf(db, patient)))
}

export async function facilityStateOf(
  db: RegisterReader,
  facility: FacilityId,
): Promise<FacilityState | null> {
  return foldFacility(facility, await facilityEvents(db, FOLDED))
}

/** What the present state of a facility is folded from; translations, proposed rules and names are not read for it. */
const FOLDED: readonly FacilityEvent['type'][] = [
  'entity-recorded',
  'template-published',
  'filing-accepted',
  'filing-ended',
  'facility-settings',
]

/** Everything recorded about the facility itself, oldest first; or only of these types. */
export async function facilityEvents(
  db: RegisterReader,
  types?: readonly FacilityEvent['type'][],
): Promise<FacilityEvent[]> {
  const all = db.selectFrom('register_event').select('body').where('patient', 'is', null).orderBy('seq')
  const rows = await (types ? all.where('type', 'in', [...types]) : all).execute()
  return rows.map((row) => parse(row) as FacilityEvent)
}

/** The languages in which one version of a notice was published; Japanese always. */
export async function languagesOf(
  db: RegisterReader,
  template: Pick<TemplateFact, 'track' | 'version'>,
): Promise<NoticeLanguage[]> {
  const languages = new Set<NoticeLanguage>(['ja'])
  for (const event of await facilityEvents(db, ['template-translated']))
    if (
      event.type === 'template-translated' &&
      event.track === template.track &&
      event.templateVersion === template.version
    )
      languages.add(event.language)
  return [...languages]
}

/** As the last signed status list said. No list yet: ended, as of the beginning of time, which denies. */
export async function operatorStateOf(db: RegisterReader, operator: OperatorId): Promise<OperatorState> {
  const row = await db
    .selectFrom('operator_status')
    .selectAll()
    .where('operator', '=', operator)
    .executeTakeFirst()
  if (!row) return { operator, tracks: [], standing: 'ended', asOf: 0 }
  return {
    operator,
    tracks: JSON.parse(row.tracks) as Track[],
    standing: row.standing as OperatorState['standing'],
    asOf: row.as_of,
  }
}

export async function latestSeen(db: RegisterReader): Promise<number> {
  const row = await db.selectFrom('clock_seen').select('latest').executeTakeFirst()
  return row?.latest ?? 0
}

/** What is equal for all patients of one transaction; read once, then used for each. */
export interface GateCommons {
  facility: FacilityState | null
  operator: OperatorState
  latestSeen: number
  /** Put back from a backup, and the hub has not told yet what this copy has forgotten: nothing may leave. */
  shut: Awaited<ReturnType<typeof shutByRestore>>
  isErased: (patient: PatientKey) => boolean
}

export async function gateCommonsOf(
  db: RegisterReader,
  facility: FacilityId,
  operator: OperatorId,
): Promise<GateCommons> {
  return {
    facility: await facilityStateOf(db, facility),
    operator: await operatorStateOf(db, operator),
    latestSeen: await latestSeen(db),
    shut: await shutByRestore(db),
    isErased: await isErasedChart(db),
  }
}

/** All that a decision depends on, or `null` while the facility's own facts are not recorded. */
export async function gateStateOf(
  db: RegisterReader,
  patient: PatientKey,
  commons: GateCommons,
): Promise<GateState | null> {
  if (!commons.facility) return null
  return {
    facility: commons.facility,
    operator: commons.operator,
    latestSeen: commons.latestSeen,
    patient: await patientStateOf(db, patient),
  }
}

export async function noticeEvent(db: RegisterReader, notice: NoticeId): Promise<NoticeGiven | null> {
  const row = await db
    .selectFrom('register_event')
    .select('body')
    .where('subject', '=', notice)
    .where('type', '=', 'notice-given')
    .executeTakeFirst()
  return row ? (parse(row) as NoticeGiven) : null
}

export async function stopEvents(db: RegisterReader, stop: StopId): Promise<StopAsked[]> {
  const rows = await db
    .selectFrom('register_event')
    .select('body')
    .where('subject', '=', stop)
    .where('type', '=', 'stop-asked')
    .orderBy('seq')
    .execute()
  return rows.map((row) => parse(row) as StopAsked)
}

/** Whether a letter to the address in the chart could put the person in danger (支援措置); true of any chart of theirs. */
export async function isProtected(db: RegisterReader, patient: PatientKey): Promise<boolean> {
  const last = new Map<PatientKey, boolean>()
  for (const event of await eventsOf(db, await chartsOf(db, patient)))
    if (event.type === 'protection-set') last.set(event.patient, event.protected)
  return [...last.values()].includes(true)
}

/** Whether the requester of this stop agreed, before `issuedAt`, to an electronic record in place of paper. */
export async function electronicAgreed(
  db: RegisterReader,
  stop: StopId,
  issuedAt: Instant,
): Promise<boolean> {
  const row = await db
    .selectFrom('register_event')
    .select('body')
    .where('subject', '=', stop)
    .where('type', '=', 'electronic-slip-agreed')
    .orderBy('seq', 'desc')
    .executeTakeFirst()
  if (!row) return false
  const { agreed, recordedAt } = parse(row) as ElectronicSlipAgreed
  return agreed && recordedAt <= issuedAt
}

/** Whether this stop was asked by name; it is settled, not dismissed. */
export async function isByName(db: RegisterReader, stop: StopId): Promise<boolean> {
  const row = await db.selectFrom('name_stop').select('stop').where('stop', '=', stop).executeTakeFirst()
  return row !== undefined
}

/** Whether it was, and nobody settled yet who was meant. */
export async function isOpenByName(db: RegisterReader, stop: StopId): Promise<boolean> {
  const row = await db
    .selectFrom('name_stop')
    .select('settled_at')
    .where('stop', '=', stop)
    .executeTakeFirst()
  return row !== undefined && row.settled_at === null
}

/** Whose paper carries the token of this handle. */
export async function patientOfHandle(db: RegisterReader, handle: StopHandle): Promise<PatientKey | null> {
  const row = await db
    .selectFrom('register_event')
    .select('patient')
    .where('handle', '=', handle)
    .executeTakeFirst()
  return (row?.patient ?? null) as PatientKey | null
}

const READ_BACK_EVENTS = 20_000

/** The newest events of these types since `since`, newest first: what the counter did today. */
export async function recentEvents(
  db: RegisterReader,
  types: readonly PatientEvent['type'][],
  since: number,
  limit: number,
): Promise<PatientEvent[]> {
  const last = await db
    .selectFrom('register_event')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  const rows = await db
    .selectFrom('register_event')
    .select('body')
    .where('seq', '>', (last?.seq ?? 0) - READ_BACK_EVENTS)
    .where('type', 'in', [...types])
    .where('at', '>=', since)
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => parse(row) as PatientEvent)
}
