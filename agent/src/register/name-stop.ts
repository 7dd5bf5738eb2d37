import type { Instant } from '@kakehashi/protocol/env'
import type { NameStopAsked, NameStopSettled, StopAsked } from '@kakehashi/protocol/events'
import { parsePatientKey, stopId, type PatientKey, type StopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { aboutPatient, type AgentContext } from '../context.ts'
import { kanaKey, kanjiKey } from '../patients/words.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { chartsOfPerson, facilityEvents, stopEvents, type RegisterReader } from './read.ts'
import { askElsewhere, reportElsewhere } from './elsewhere.ts'
import { othersNamed } from './rules.ts'
import { addedStop, endFor } from './merged-stops.ts'
import { openSlip, slipsOfStop, type Slip } from './slip.ts'
import { applyStop } from './stop.ts'
import { appendOpening } from './opening.ts'
import { appendEvent } from './store.ts'

export type NameStopRequest = Omit<
  NameStopAsked,
  'type' | 'event' | 'recordedAt' | 'stop' | 'erasureAsked'
> & {
  erasureAsked?: boolean
}

export interface NameStopped {
  stop: StopId
  /** Charts of that name and birth date, stopped provisionally until somebody says which one is meant. */
  candidates: PatientKey[]
  slip: Slip
}

/** A common name without a birth date says too little: beyond this many charts nobody is held, the list only waits. */
const CANDIDATES_MAX = 20

/** Charts that bear the name, where the birth date is the same or is not known on one side. */
export async function chartsNamed(
  tx: AgentTx,
  asked: { kana: string; name: string; birthDate: string | null },
): Promise<PatientKey[]> {
  const [kana, kanji] = [kanaKey(asked.kana), kanjiKey(asked.name)]
  if (kana === '' && kanji === '') return []
  let query = tx
    .selectFrom('patient_index')
    .select('patient')
    .where((e) =>
      e.or([
        ...(kana === '' ? [] : [e('kana_key', '=', kana)]),
        ...(kanji === '' ? [] : [e('kanji_key', '=', kanji)]),
      ]),
    )
  const { birthDate } = asked
  if (birthDate !== null)
    query = query.where((e) => e.or([e('birth_date', '=', birthDate), e('birth_date', 'is', null)]))
  const rows = await query.limit(CANDIDATES_MAX + 1).execute()
  return rows.length > CANDIDATES_MAX ? [] : rows.map((row) => parsePatientKey(row.patient))
}

/**
 * Provisional for this chart and all that are one person with it. The vault is told of each chart as a stop of its own:
 * some of them may be free again, and it ends a stop for all its charts or none.
 */
async function holdChart(
  tx: AgentTx,
  context: AgentContext,
  asked: Pick<NameStopAsked, 'stop' | 'requester' | 'by' | 'hospitals' | 'futureHospitals'> & {
    askedAt: Instant
  },
  patient: PatientKey,
): Promise<PatientKey[]> {
  const known = new Set((await stopEvents(tx, asked.stop)).map((event) => event.patient))
  const patients = (await chartsOfPerson(tx, patient)).filter((chart) => !known.has(chart))
  if (patients.length === 0) return []
  await applyStop(tx, context, {
    stop: asked.stop,
    patients,
    tracks: null,
    operators: null,
    requester: asked.requester,
    identityCheck: 'none',
    standing: 'provisional',
    origin: 'counter',
    erasureAsked: false,
    by: asked.by,
    askedAt: asked.askedAt,
    more: {
      receivedAt: asked.askedAt,
      ...(asked.hospitals === undefined ? {} : { hospitals: asked.hospitals }),
      ...(asked.futureHospitals === undefined ? {} : { futureHospitals: asked.futureHospitals }),
    },
  })
  for (const chart of patients) await report(tx, context, addedStop(asked.stop, chart), [chart], asked)
  return patients
}

async function report(
  tx: AgentTx,
  context: AgentContext,
  stop: StopId,
  patients: PatientKey[],
  asked: Pick<NameStopAsked, 'requester'> & { askedAt: Instant; erasureAsked?: boolean },
): Promise<void> {
  await enqueueControl(tx, context, {
    type: 'stop-reported',
    stop,
    patients,
    handles: [],
    tracks: null,
    operators: null,
    requester: asked.requester,
    askedAt: asked.askedAt,
    erasureAsked: asked.erasureAsked === true,
  })
}

/**
 * Somebody asks to stop and no chart is found: every chart of that name and birth date is stopped provisionally, also
 * one that a source shows only later, until staff settle who is meant. The document of Art. 53 is due all the same.
 */
export async function recordNameStop(context: AgentContext, asked: NameStopRequest): Promise<NameStopped> {
  if (asked.name.trim() === '' && asked.kana.trim() === '') throw new Refused('REQUEST_MALFORMED', 'name')
  const now = context.env.now()
  return context.store.transact(
    (done) => ({
      act: 'stop.by-name',
      actor: asked.by,
      detail: { charts: done.candidates.length, erasure: asked.erasureAsked === true },
    }),
    async (tx) => {
      const stop = stopId(context.env.id())
      const erasureAsked = asked.erasureAsked === true
      const facts = { stop, requester: asked.requester, by: asked.by, askedAt: now }
      const candidates = await enterNameStop(tx, context, { ...asked, stop, askedAt: now })
      const slip = await openSlip(tx, context, {
        ...facts,
        patients: candidates,
        tracks: null,
        operators: null,
        relation: asked.relation,
        origin: 'counter',
        erasureAsked,
        elsewhere: othersNamed(asked.hospitals, context.facility),
      })
      await askElsewhere(tx, context, {
        ...{ ...asked, ...facts, erasureAsked },
        hospitals: asked.hospitals,
        patients: candidates,
        tracks: null,
        known: { name: asked.name, kana: asked.kana, birthDate: asked.birthDate },
      })
      return { stop, candidates, slip }
    },
  )
}

/** The charts held from now on. */
export async function enterNameStop(
  tx: AgentTx,
  context: AgentContext,
  said: NameStopRequest & { stop: StopId; askedAt: Instant },
): Promise<PatientKey[]> {
  const { askedAt, ...asked } = said
  const erasureAsked = asked.erasureAsked === true
  const head = { event: context.env.id(), recordedAt: context.env.now() }
  await appendEvent(tx, { type: 'name-stop-asked', ...head, ...asked, erasureAsked })
  await tx
    .insertInto('name_stop')
    .values({
      stop: asked.stop,
      kana_key: kanaKey(asked.kana),
      kanji_key: kanjiKey(asked.name),
      birth_date: asked.birthDate,
      asked_at: askedAt,
      settled_at: null,
    })
    .execute()
  const held: PatientKey[] = []
  for (const patient of await chartsNamed(tx, asked))
    held.push(...(await holdChart(tx, context, said, patient)))
  return held
}

/** A source shows a patient who bears a name that somebody asked to stop: stopped from the first sight. */
export async function holdIfNamed(tx: AgentTx, context: AgentContext, patient: PatientKey): Promise<void> {
  const row = await tx
    .selectFrom('patient_index')
    .select(['kana_key', 'kanji_key', 'birth_date'])
    .where('patient', '=', patient)
    .executeTakeFirst()
  if (!row) return
  const open = await tx.selectFrom('name_stop').selectAll().where('settled_at', 'is', null).execute()
  for (const one of open) {
    const named =
      (one.kana_key !== '' && one.kana_key === row.kana_key) ||
      (one.kanji_key !== '' && one.kanji_key === row.kanji_key)
    const born = one.birth_date === null || row.birth_date === null || one.birth_date === row.birth_date
    if (!named || !born) continue
    const [asked] = await nameStopEvents(tx, stopId(one.stop))
    if (asked) await holdChart(tx, context, { ...asked, askedAt: one.asked_at }, patient)
  }
}

async function nameStopEvents(db: RegisterReader, stop: StopId): Promise<NameStopAsked[]> {
  const events = await facilityEvents(db, ['name-stop-asked'])
  return events.filter((event) => event.type === 'name-stop-asked').filter((event) => event.stop === stop)
}

export interface OpenNameStop {
  asked: NameStopAsked
  candidates: PatientKey[]
}

/** Stops by name that nobody settled yet, the oldest first. Names people: for the counter's and officer's pages only. */
export async function openNameStops(db: RegisterReader): Promise<OpenNameStop[]> {
  const events = await facilityEvents(db, ['name-stop-asked', 'name-stop-settled'])
  const settled = new Set(events.filter((e) => e.type === 'name-stop-settled').map((e) => e.stop))
  const open = events.filter((e) => e.type === 'name-stop-asked').filter((e) => !settled.has(e.stop))
  const found: OpenNameStop[] = []
  for (const asked of open)
    found.push({ asked, candidates: (await stopEvents(db, asked.stop)).map((e) => e.patient) })
  return found
}

/**
 * Staff know which chart was meant (`patients`, confirmed from now on), or that there is none. Charts that only bore the
 * name are free again, which takes a second person.
 */
export async function settleNameStop(
  context: AgentContext,
  asked: {
    stop: StopId
    outcome: NameStopSettled['outcome']
    /** `nobody`, because it was an error: what the other hospitals were asked ends, too. */
    elsewhere?: boolean
    patient?: PatientKey
    identityCheck?: StopAsked['identityCheck']
    approvedBy?: string
    by: string
  },
): Promise<{ stopped: PatientKey[]; freed: PatientKey[] }> {
  const { stop, outcome, by, approvedBy } = asked
  if ((outcome === 'found') !== (asked.patient !== undefined) || (asked.elsewhere && outcome === 'found'))
    throw new Refused('REQUEST_MALFORMED', 'patient')
  return context.store.transact(
    (done) => ({
      act: 'stop.by-name-settled',
      actor: by,
      ...(asked.patient === undefined ? {} : { about: aboutPatient(context, asked.patient) }),
      detail: {
        outcome,
        stopped: done.stopped.length,
        freed: done.freed.length,
        elsewhere: asked.elsewhere === true,
      },
    }),
    async (tx) => {
      const [said] = await nameStopEvents(tx, stop)
      const row = await tx
        .selectFrom('name_stop')
        .select('asked_at')
        .where('stop', '=', stop)
        .where('settled_at', 'is', null)
        .executeTakeFirst()
      if (!said || !row) throw new Refused('NOT_FOUND', 'stop')
      const now = context.env.now()
      const facts = { ...said, askedAt: row.asked_at }
      if (asked.patient) await holdChart(tx, context, facts, asked.patient)
      const own = new Set(asked.patient ? await chartsOfPerson(tx, asked.patient) : [])
      const charts = (await stopEvents(tx, stop)).map((event) => event.patient)
      const stopped = charts.filter((chart) => own.has(chart))
      const freed = charts.filter((chart) => !own.has(chart))
      if ((freed.length > 0 || asked.elsewhere) && (!approvedBy || approvedBy === by))
        throw new Refused('NOT_ALLOWED', 'approvedBy')
      await settle(tx, context, { ...asked, request: facts, stopped, freed, now })
      return { stopped, freed }
    },
  )
}

interface Settled {
  elsewhere?: boolean
  request: NameStopAsked & { askedAt: Instant }
  outcome: NameStopSettled['outcome']
  stopped: PatientKey[]
  freed: PatientKey[]
  identityCheck?: StopAsked['identityCheck']
  approvedBy?: string
  by: string
  now: Instant
}

/**
 * Who was meant is stopped by name no longer but for good, and owed the document if nobody was when it was asked; the
 * others are free, here and at the vault.
 */
async function settle(tx: AgentTx, context: AgentContext, done: Settled): Promise<void> {
  const { request, stopped, freed, approvedBy, by, now } = done
  const { stop } = request
  const head = () => ({ event: context.env.id(), recordedAt: now, by, stop })
  const identityCheck = done.identityCheck ?? 'known'
  for (const patient of stopped)
    await appendEvent(tx, { type: 'stop-confirmed', ...head(), patient, identityCheck })
  const reason = 'not-this-person'
  if (approvedBy !== undefined)
    for (const patient of freed)
      await appendOpening(tx, { type: 'stop-dismissed', ...head(), patient, reason, approvedBy })
  await appendEvent(tx, {
    ...{ type: 'name-stop-settled', ...head(), outcome: done.outcome },
    ...(done.elsewhere ? { elsewhere: true } : {}),
    ...(approvedBy === undefined ? {} : { approvedBy }),
  })
  await tx.updateTable('name_stop').set({ settled_at: now }).where('stop', '=', stop).execute()
  if (stopped.length > 0 && (await slipsOfStop(tx, stop)).length === 0)
    await openSlip(tx, context, {
      ...request,
      patients: stopped,
      tracks: null,
      operators: null,
      origin: request.by === 'operator' ? 'operator' : 'counter',
      by,
    })
  if (stopped.length > 0) await report(tx, context, stop, stopped, request)
  for (const chart of [...stopped, ...freed]) await endFor(tx, context, stop, chart, true)
  if (done.elsewhere) await reportElsewhere(tx, context, request, freed, true)
  // what was asked at the operator is held there, too, for whoever bears the name
  if (request.by === 'operator' && freed.length > 0)
    await enqueueControl(tx, context, { type: 'charts-freed', stop, patients: freed, freedAt: now })
}
