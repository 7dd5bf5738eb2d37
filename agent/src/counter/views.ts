import { inJapanese } from '@kakehashi/protocol/refusals'
import { startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { NoticeFact, StopFact } from '@kakehashi/protocol/rules/state'
import type { PatientEvent } from '@kakehashi/protocol/events'
import { dayOf, longDate } from '@kakehashi/ui/dates'
import { gateCommonsOf, gateStateOf, patientStateOf, recentEvents } from '../register/read.ts'
import { mayUndo } from '../register/rules.ts'
import { openSlips } from '../register/slip.ts'
import type { DeskView } from './pages/desk.ts'
import type { PatientView } from './pages/patient.ts'
import type { PersonView, TodayRow } from './pages/search.ts'
import type { IndexedPatient } from '../patients/store.ts'
import type { CounterParts } from './parts.ts'
import { ageOn, guardianNeeded, newestTemplate, noticeSummary, stopsInForce } from './rules.ts'
import type { Session, DeskSessions } from './session.ts'
import { W } from './words.ja.ts'

const TODAY_ROWS_MAX = 12
const TODAY_EVENTS_MAX = 60

/** Turns what the register and the index know into what pages show. */
export class CounterViews {
  readonly #parts: CounterParts
  readonly #sessions: DeskSessions
  constructor(parts: CounterParts, sessions: DeskSessions) {
    this.#parts = parts
    this.#sessions = sessions
  }

  async desk(session: Session): Promise<DeskView> {
    const { context, settings, online } = this.#parts
    const tasks = await openSlips(context.store.db, context.env.now())
    const view: DeskView = {
      facilityName: settings.facilityName,
      staffName: session.staff.name,
      csrf: session.csrf,
      online: online(),
      tasks: tasks.length,
      message: session.message,
    }
    session.message = null
    return view
  }

  person(session: Session, person: IndexedPatient): PersonView {
    const today = tokyoDate(this.#parts.context.env.now())
    return {
      handle: this.#sessions.handleOf(session, person.patient),
      number: person.number,
      kana: person.kana.reveal(),
      kanji: person.kanji.reveal(),
      birthDate: person.birthDate,
      age: person.birthDate && !person.deceasedOn ? ageOn(person.birthDate, today) : null,
      sex: person.sex,
      deceasedOn: person.deceasedOn,
    }
  }

  async today(session: Session): Promise<TodayRow[]> {
    const { context, people } = this.#parts
    const now = context.env.now()
    const types = ['notice-given', 'stop-asked', 'stop-withdrawn', 'notice-voided', 'stop-undone'] as const
    const events = await recentEvents(context.store.db, types, startOfDay(tokyoDate(now)), TODAY_EVENTS_MAX)
    const rows: TodayRow[] = []
    const gone = new Set<string>()
    for (const event of events) {
      if (event.type === 'notice-voided') gone.add(event.notice)
      if (event.type === 'stop-undone') gone.add(event.stop)
      const act = actOf(event)
      if (!act || rows.length >= TODAY_ROWS_MAX) continue
      const person = await people.read(event.patient)
      if (!person) continue
      const undone = gone.has(act.id)
      const undo =
        !undone && act.undo && mayUndo(event.recordedAt, now) ? { kind: act.undo, id: act.id } : null
      const handle = this.#sessions.handleOf(session, person.patient)
      rows.push({ at: event.recordedAt, handle, kana: person.kana.reveal(), act: act.act, undone, undo })
    }
    return rows
  }

  stopLine(stop: StopFact): string {
    const provisional = stop.standing === 'provisional' ? W.stopProvisional : ''
    return `${W.stopLine(dayOf(stop.askedAt), W.who[stop.requester])}${provisional}`
  }

  async patient(session: Session, person: IndexedPatient): Promise<Omit<PatientView, 'alike'>> {
    const { context, settings } = this.#parts
    const { db } = context.store
    const now = context.env.now()
    const commons = await gateCommonsOf(db, context.facility, context.hub.operator)
    const gate = await gateStateOf(db, person.patient, commons)
    const state = gate?.patient ?? (await patientStateOf(db, person.patient))
    const rules = context.rulesAt(now)
    const view = this.person(session, person)
    const stops = stopsInForce(state)
    const decision = gate
      ? context.decide(gate, { track: context.track, item: 'laboratory' }, rules, now)
      : null
    const notice = noticeSummary(state)
    const needed = guardianNeeded(state, view.age, rules.ownNoticeAge)
    const missing = new Set<string>()
    if (needed && notice.guardian === 'none') missing.add(inJapanese('GUARDIAN_NOTICE_MISSING'))
    if (notice.person === 'none' || notice.person === 'unable') missing.add(inJapanese('NOT_NOTIFIED'))
    if (decision && !decision.allow && !NOT_MISSING.has(decision.code)) missing.add(inJapanese(decision.code))
    const earliest = decision?.earliest ?? null
    const template = newestTemplate(commons.facility?.templates ?? [], context.track)
    return {
      person: view,
      notice,
      personNotice: noticeLine(state.notices, 'person'),
      guardianNotice: noticeLine(state.notices, 'guardian'),
      guardianNeeded: needed,
      pendingNotice: state.notices.find((one) => one.standing === 'pending')?.notice ?? null,
      stops: stops.map((stop) => ({
        line: this.stopLine(stop),
        id: stop.stop,
        mayPrint: true,
        undoable: stop.origin === 'counter' && mayUndo(stop.askedAt, now),
      })),
      missing: [...missing],
      provision:
        stops.length > 0
          ? null
          : decision?.allow
            ? W.provisionOpen
            : earliest
              ? W.provisionFrom(longDate(earliest))
              : null,
      templateText: template ? settings.noticeText(template.hash) : null,
      capacityUnable: state.capacity === 'unable',
      today: await this.today(session),
    }
  }
}

/** Codes the page says elsewhere, in its own place. */
const NOT_MISSING: ReadonlySet<string> = new Set([
  'WAITING',
  'STOPPED',
  'NOT_NOTIFIED',
  'GUARDIAN_NOTICE_MISSING',
])

function noticeLine(notices: readonly NoticeFact[], recipient: 'person' | 'guardian'): string | null {
  const newest = notices
    .filter(
      (one) => one.recipient === recipient && one.standing === 'effective' && one.recipientState === 'able',
    )
    .toSorted((a, b) => b.deliveredAt - a.deliveredAt)[0]
  return newest ? `${dayOf(newest.deliveredAt)} ${W.method[newest.method]}` : null
}

function actOf(
  event: PatientEvent,
): { act: TodayRow['act']; id: string; undo: 'notice' | 'stop' | null } | null {
  if (event.type === 'notice-given') return { act: 'notice', id: event.notice, undo: 'notice' }
  if (event.type === 'stop-asked')
    return { act: 'stop', id: event.stop, undo: event.origin === 'counter' ? 'stop' : null }
  return event.type === 'stop-withdrawn' ? { act: 'withdrawal', id: event.stop, undo: null } : null
}
