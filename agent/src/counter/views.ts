import { inJapanese } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { NoticeFact, PatientState, StopFact, TemplateFact, Track } from '@kakehashi/protocol/rules/state'
import { dayOf, longDate } from '@kakehashi/ui/dates'
import { gateCommonsOf, gateStateOf, isByName, isProtected, patientStateOf } from '../register/read.ts'
import { mayUndo } from '../register/rules.ts'
import { openNameStops } from '../register/name-stop.ts'
import { openSlips } from '../register/slip.ts'
import { namesOthers } from '../register/stop-lifted.ts'
import { BRIEF_ROWS_MAX, dayRows } from './day.ts'
import type { DeskView } from './pages/desk.ts'
import type { PatientView } from './pages/patient.ts'
import type { PersonView, TodayRow } from './pages/search.ts'
import type { IndexedPatient } from '../patients/store.ts'
import { noticeTextOf } from './notice.ts'
import type { CounterParts } from './parts.ts'
import { ageOn, guardianNeeded, newestTemplate, noticeSummary, stopsInForce } from './rules.ts'
import type { Session, DeskSessions } from './session.ts'
import { W } from './words.ja.ts'

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
    const slips = await openSlips(context.store.db, context.env.now())
    const named = await openNameStops(context.store.db)
    const view: DeskView = {
      facilityName: settings.facilityName,
      staffName: session.staff.name,
      role: session.staff.role,
      csrf: session.csrf,
      online: online(),
      tasks: slips.length + named.length,
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
      unasked: session.unasked.has(person.patient),
    }
  }

  today(session: Session): Promise<TodayRow[]> {
    return dayRows(this.#parts, this.#sessions, session, BRIEF_ROWS_MAX)
  }

  async stopLine(stop: StopFact): Promise<string> {
    const provisional = stop.standing === 'provisional' ? W.stopProvisional : ''
    const others = (await namesOthers(this.#parts.context, stop.stop)) ? W.stopLineElsewhere : ''
    return `${W.stopLine(dayOf(stop.askedAt), W.who[stop.requester])}${others}${provisional}`
  }

  async patient(session: Session, person: IndexedPatient): Promise<Omit<PatientView, 'alike' | 'language'>> {
    const { context } = this.#parts
    const { db } = context.store
    const now = context.env.now()
    const commons = await gateCommonsOf(db, context.facility, context.hub.operator)
    const gate = await gateStateOf(db, person.patient, commons)
    const state = gate?.patient ?? (await patientStateOf(db, person.patient))
    const rules = context.rulesAt(now)
    const view = this.person(session, person)
    const stops = stopsInForce(state)
    // several people's until it is settled: not this page's to confirm or to undo
    const named = new Set<string>()
    for (const { stop } of stops) if (await isByName(db, stop)) named.add(stop)
    const lines = await Promise.all(stops.map((stop) => this.stopLine(stop)))
    const decision =
      gate && commons.shut === null
        ? context.decide(gate, { track: context.track, item: 'laboratory' }, rules, now)
        : null
    const notice = noticeSummary(state, context.track)
    const own = state.notices.filter((one) => one.track === context.track)
    const needed = guardianNeeded(state, view.age, rules.ownNoticeAge)
    const missing = new Set<string>()
    if (needed && notice.guardian === 'none') missing.add(inJapanese('GUARDIAN_NOTICE_MISSING'))
    if (notice.person === 'none' || notice.person === 'unable') missing.add(inJapanese('NOT_NOTIFIED'))
    if (decision && !decision.allow && !NOT_MISSING.has(decision.code)) missing.add(inJapanese(decision.code))
    if (commons.shut) missing.add(inJapanese(commons.shut))
    const earliest = decision?.earliest ?? null
    const templates = commons.facility?.templates ?? []
    const template = newestTemplate(templates, context.track)
    return {
      person: view,
      notice,
      personNotice: noticeLine(own, 'person'),
      guardianNotice: noticeLine(own, 'guardian'),
      guardianNeeded: needed,
      pendingNotice: state.notices.find((one) => one.standing === 'pending')?.notice ?? null,
      stops: stops.map((stop, at) => ({
        line: lines[at] ?? '',
        id: stop.stop,
        mayPrint: true,
        provisional: stop.standing === 'provisional' && !named.has(stop.stop),
        undoable: !named.has(stop.stop) && stop.origin === 'counter' && mayUndo(stop.askedAt, now),
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
      second: secondTrack(templates, context.track, state),
      templateText: template ? await noticeTextOf(this.#parts, template, 'ja') : null,
      capacityUnable: state.capacity === 'unable',
      guarded: await isProtected(db, person.patient),
      namesake: await this.#parts.people.hasNamesake(person),
      today: await this.today(session),
    }
  }
}

/** The track that this agent does not give for, where the hospital has published a notice of it, too. */
function secondTrack(
  templates: readonly TemplateFact[],
  own: Track,
  state: PatientState,
): PatientView['second'] {
  const track = own === 'ANON' ? 'PSEUDO' : 'ANON'
  return newestTemplate(templates, track) ? { track, notice: noticeSummary(state, track) } : null
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
