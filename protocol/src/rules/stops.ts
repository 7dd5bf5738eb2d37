import type { Instant } from '../env.ts'
import type { StopAsked, StopConfirmed, StopDismissed, StopUndone, StopWithdrawn } from '../events.ts'
import { UNDO_MS_MAX } from '../limits.ts'
import { birthdayAt, isLocalDate, startOfDay } from './calendar.ts'
import type { LocalDate, StopFact } from './state.ts'

/** Until 16 a guardian may take back a guardian's own stop; from 16 on only the person may (LAW §2.6, trap 19). */
const GUARDIAN_UNTIL_AGE = 16

/** What was said about stops after they were asked, in order. */
export interface StopWords {
  withdrawals: readonly StopWithdrawn[]
  undos: readonly StopUndone[]
  confirmations: readonly StopConfirmed[]
  dismissals: readonly StopDismissed[]
}

/** The present standing of one stop. A withdrawal, undo or dismissal that may not lift it changes nothing. */
export function stopFact(asked: StopAsked, words: StopWords, birthDate: LocalDate | null): StopFact {
  const confirmed = words.confirmations.some((c) => c.stop === asked.stop)
  const fact: StopFact = {
    stop: asked.stop,
    tracks: asked.tracks,
    operators: asked.operators,
    requester: asked.requester,
    standing: confirmed ? 'confirmed' : asked.standing,
    // a letter or a call to the operator was asked before it was recorded here
    askedAt: Math.min(asked.receivedAt ?? asked.recordedAt, asked.recordedAt),
    withdrawnAt: null,
    origin: asked.origin,
  }
  if (words.undos.some((undo) => undo.stop === asked.stop && inUndoTime(asked, undo)))
    return { ...fact, standing: 'undone' }
  if (fact.standing === 'provisional' && words.dismissals.some((d) => d.stop === asked.stop && byTwo(d)))
    return { ...fact, standing: 'undone' }
  const lifted = words.withdrawals.find((w) => w.stop === asked.stop && mayWithdraw(asked, w, birthDate))
  return lifted ? { ...fact, standing: 'withdrawn', withdrawnAt: lifted.recordedAt } : fact
}

function byTwo({ by, approvedBy }: StopDismissed): boolean {
  return Boolean(approvedBy) && approvedBy !== by
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
    if (birthDate === null || !isLocalDate(birthDate)) return false
    const ofAge = isOfAge(birthDate, recordedAt)
    return ofAge ? requester === 'person' : requester === 'guardian'
  }
  if (stop.requester === 'agent') return requester === 'person'
  return stop.requester === 'family' && requester === 'family'
}

function isOfAge(birthDate: LocalDate, at: Instant): boolean {
  return at >= startOfDay(birthdayAt(birthDate, GUARDIAN_UNTIL_AGE))
}
