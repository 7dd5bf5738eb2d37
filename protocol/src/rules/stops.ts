import type { Instant } from '../env.ts'
import type { StopAsked, StopUndone, StopWithdrawn } from '../events.ts'
import { UNDO_MS_MAX } from '../limits.ts'
import { birthdayAt, startOfDay } from './calendar.ts'
import type { LocalDate, StopFact } from './state.ts'

/** Until 16 a guardian may take back a guardian's own stop; from 16 on only the person may (LAW §2.6, trap 19). */
const GUARDIAN_UNTIL_AGE = 16

/** The present standing of one stop. A withdrawal or undo that may not lift it changes nothing. */
export function stopFact(
  asked: StopAsked,
  withdrawals: readonly StopWithdrawn[],
  undos: readonly StopUndone[],
  birthDate: LocalDate | null,
): StopFact {
  const fact: StopFact = {
    stop: asked.stop,
    tracks: asked.tracks,
    operators: asked.operators,
    requester: asked.requester,
    standing: asked.standing,
    askedAt: asked.recordedAt,
    withdrawnAt: null,
    origin: asked.origin,
  }
  if (undos.some((undo) => undo.stop === asked.stop && inUndoTime(asked, undo)))
    return { ...fact, standing: 'undone' }
  const lifted = withdrawals.find((w) => w.stop === asked.stop && mayWithdraw(asked, w, birthDate))
  return lifted ? { ...fact, standing: 'withdrawn', withdrawnAt: lifted.recordedAt } : fact
}

function inUndoTime(asked: StopAsked, undo: StopUndone): boolean {
  const elapsed = undo.recordedAt - asked.recordedAt
  return elapsed >= 0 && elapsed <= UNDO_MS_MAX
}

/** Whoever asked may take it back; a guardian's or agent's stop also the person, a guardian's only from 16 on. */
export function mayWithdraw(
  stop: Pick<StopAsked, 'requester'>,
  withdrawal: Pick<StopWithdrawn, 'requester' | 'recordedAt'>,
  birthDate: LocalDate | null,
): boolean {
  const { requester, recordedAt } = withdrawal
  if (stop.requester === 'person') return requester === 'person'
  if (stop.requester === 'guardian') {
    if (birthDate === null) return false
    const ofAge = isOfAge(birthDate, recordedAt)
    return ofAge ? requester === 'person' : requester === 'guardian'
  }
  if (stop.requester === 'agent') return requester === 'person'
  return stop.requester === 'family' && requester === 'family'
}

function isOfAge(birthDate: LocalDate, at: Instant): boolean {
  return at >= startOfDay(birthdayAt(birthDate, GUARDIAN_UNTIL_AGE))
}
