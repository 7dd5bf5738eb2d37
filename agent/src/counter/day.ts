import type { PatientEvent } from '@kakehashi/protocol/events'
import { startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { recentEvents } from '../register/read.ts'
import { mayUndo } from '../register/rules.ts'
import type { TodayRow } from './pages/search.ts'
import type { CounterParts } from './parts.ts'
import type { DeskSessions, Session } from './session.ts'
import { W } from './words.ja.ts'

/** Beside the work at hand. */
export const BRIEF_ROWS_MAX = 12
export const DAY_ROWS_MAX = 500
/** An undo is an event too. */
const EVENTS_PER_ROW = 3

const TYPES = ['notice-given', 'stop-asked', 'stop-withdrawn', 'notice-voided', 'stop-undone'] as const

/** What was done since midnight in Tokyo, newest first: for whom, what, by whom, and whether it may still be undone. */
export async function dayRows(
  parts: CounterParts,
  sessions: DeskSessions,
  session: Session,
  most: number,
): Promise<TodayRow[]> {
  const { context, people, staff } = parts
  const now = context.env.now()
  const since = startOfDay(tokyoDate(now))
  const events = await recentEvents(context.store.db, TYPES, since, most * EVENTS_PER_ROW)
  const names = new Map<string, string>()
  const nameOf = async (id: string) => {
    const known = names.get(id) ?? (await staff.read(id))?.name ?? W.by[id as keyof typeof W.by] ?? id
    names.set(id, known)
    return known
  }
  const persons = await people.readAll(events.map((event) => event.patient))
  const rows: TodayRow[] = []
  const gone = new Set<string>()
  for (const event of events) {
    if (event.type === 'notice-voided') gone.add(event.notice)
    if (event.type === 'stop-undone') gone.add(event.stop)
    const act = actOf(event)
    if (!act) continue
    if (rows.length >= most) break
    const person = persons.get(event.patient)
    if (!person) continue
    const undone = gone.has(act.id)
    const mayStill = !undone && act.undo && mayUndo(event.recordedAt, now)
    rows.push({
      at: event.recordedAt,
      handle: sessions.handleOf(session, person.patient),
      number: person.number,
      kana: person.kana.reveal(),
      act: act.act,
      detail: act.detail,
      by: await nameOf(event.by),
      undone,
      undo: mayStill && act.undo ? { kind: act.undo, id: act.id } : null,
    })
  }
  return rows
}

interface Act {
  act: TodayRow['act']
  id: string
  undo: 'notice' | 'stop' | null
  detail: string
}

function actOf(event: PatientEvent): Act | null {
  if (event.type === 'notice-given') {
    const to = event.recipient === 'guardian' ? W.recipientGuardian : W.recipientPerson
    const detail = `${to}・${W.method[event.method]}`
    return { act: 'notice', id: event.notice, undo: 'notice', detail }
  }
  if (event.type === 'stop-asked') {
    const undo = event.origin === 'counter' ? 'stop' : null
    return { act: 'stop', id: event.stop, undo, detail: W.who[event.requester] }
  }
  return event.type === 'stop-withdrawn'
    ? { act: 'withdrawal', id: event.stop, undo: null, detail: W.who[event.requester] }
    : null
}
