import type { Track } from '@kakehashi/protocol/rules/state'
import type { FieldError } from '@kakehashi/ui/error-summary'
import { CHECKS, PLACES, REQUESTERS, SCOPES, type Answers } from './pages/asking.ts'
import { W } from './words.ja.ts'

const RELATION_MAX = 40

export function oneOf<T extends string>(values: readonly T[], given: unknown): T | null {
  return values.find((value) => value === given) ?? null
}

export interface AskedStop {
  requester: (typeof REQUESTERS)[number]
  identityCheck: (typeof CHECKS)[number]
  standing: 'provisional' | 'confirmed'
  erasureAsked: boolean
  relation?: string
  /** Omitted: every track. */
  tracks?: Track[]
  /** Omitted: this one. Otherwise every one that gives to the operator, also later. */
  hospitals?: 'all'
  futureHospitals?: true
}

/** Reads the form of a stop. Left unanswered, everything stops here alone and erasure is no: a stop never waits for these. */
export function readAnswers(form: Record<string, unknown>): {
  answers: Answers
  asked: AskedStop | null
  errors: FieldError[]
} {
  const text = (name: string) => String(form[name] ?? '').trim()
  const relation = text('relation').slice(0, RELATION_MAX)
  const requester = oneOf(REQUESTERS, form['who'])
  const identityCheck = oneOf(CHECKS, form['how'])
  const scope = oneOf(SCOPES, form['scope'] ?? 'all')
  const places = oneOf(PLACES, form['places'] ?? 'this')
  const erasure = oneOf(['yes', 'no'], form['erasure'] ?? 'no')
  const errors: FieldError[] = []
  if (!requester) errors.push({ field: 'who', text: text('who') === '' ? W.whoMissing : W.stopFormWrong })
  if (!identityCheck) errors.push({ field: 'how', text: W.stopFormWrong })
  if (!scope) errors.push({ field: 'scope', text: W.stopFormWrong })
  if (!places) errors.push({ field: 'places', text: W.stopFormWrong })
  if (!erasure) errors.push({ field: 'erasure', text: W.stopFormWrong })
  const answers: Answers = {
    who: requester,
    how: identityCheck ?? 'card',
    relation,
    scope: scope ?? 'all',
    places: places ?? 'this',
    erasure: erasure ?? 'no',
  }
  if (!requester || !identityCheck || !scope || !places || !erasure) return { answers, asked: null, errors }
  return {
    answers,
    errors,
    asked: {
      requester,
      identityCheck,
      standing: identityCheck === 'none' ? 'provisional' : 'confirmed',
      erasureAsked: erasure === 'yes',
      ...(relation !== '' && requester !== 'person' ? { relation } : {}),
      ...(scope === 'all' ? {} : { tracks: [scope] }),
      ...(places === 'all' ? { hospitals: places, futureHospitals: true } : {}),
    },
  }
}

/** Who has a right of their own to ask. Anybody else's word stops provisionally at once, and is looked into after. */
export function mayAskFor(requester: AskedStop['requester'], deceased: boolean): boolean {
  return requester === 'person' || requester === 'guardian' || (requester === 'family' && deceased)
}
