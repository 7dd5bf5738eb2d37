import type { PersonKey } from '@kakehashi/protocol/ids'
import type { Candidate, Decision, LinkageEngine, LinkRecord, Reason } from './engine.ts'
import type { Insurance } from './normalise.ts'

export type Verdict = 'same' | 'likely' | 'weak' | 'contradiction' | 'twin' | 'different'

export type InsuranceMatch = 'agrees' | 'branch-missing' | 'branch-differs' | 'differs' | 'missing'

/** Over every pair of cards: one agreeing card is enough, and a differing branch of one household number is told. */
export function compareInsurance(a: readonly Insurance[], b: readonly Insurance[]): InsuranceMatch {
  if (a.length === 0 || b.length === 0) return 'missing'
  const found = new Set<InsuranceMatch>()
  for (const x of a)
    for (const y of b) {
      if (x.insurer !== y.insurer || x.symbol !== y.symbol || x.number !== y.number) continue
      if (x.branch === null || y.branch === null) found.add('branch-missing')
      else found.add(x.branch === y.branch ? 'agrees' : 'branch-differs')
    }
  const order: InsuranceMatch[] = ['agrees', 'branch-differs', 'branch-missing']
  return order.find((match) => found.has(match)) ?? 'differs'
}

const INSURANCE_REASON: Record<InsuranceMatch, Reason> = {
  agrees: 'insurance-agrees',
  'branch-missing': 'insurance-agrees-branch-missing',
  'branch-differs': 'branch-differs',
  differs: 'insurance-differs',
  missing: 'insurance-missing',
}

interface Compared {
  verdict: Verdict
  reasons: Reason[]
}

/** Two charts of one person, or not? Surname, address and insurance together prove a household, not a person. */
export function comparePair(a: LinkRecord, b: LinkRecord): Compared {
  const insurance = compareInsurance(a.insurances, b.insurances)
  const household = insurance === 'agrees' || insurance === 'branch-missing' || insurance === 'branch-differs'
  const family = agree(a.kanaFamily, b.kanaFamily)
  const given = agree(a.kanaGiven, b.kanaGiven)
  const birth = agree(a.birthDate, b.birthDate)
  const sex = agree(a.sex, b.sex)
  const contact =
    (a.postal !== null && a.postal === b.postal) || a.phones.some((phone) => b.phones.includes(phone))
  const insured = INSURANCE_REASON[insurance]
  if (family && given && birth && sex) return sameName(a, b, insurance, contact)
  if (birth && family && !given && (household || contact))
    return { verdict: 'twin', reasons: ['possible-twin', insured] }
  if (family && given && birth && (household || contact))
    return { verdict: 'contradiction', reasons: ['sex-differs', insured] }
  if (family && given && sex && insurance === 'agrees')
    return { verdict: 'contradiction', reasons: ['birth-date-differs', insured] }
  if (given && birth && sex && (insurance === 'agrees' || contact))
    return { verdict: 'contradiction', reasons: ['family-name-differs', insured] }
  return { verdict: 'different', reasons: [] }
}

function sameName(a: LinkRecord, b: LinkRecord, insurance: InsuranceMatch, contact: boolean): Compared {
  const insured = INSURANCE_REASON[insurance]
  const kanji = a.kanjiGiven === null || b.kanjiGiven === null || a.kanjiGiven === b.kanjiGiven
  if (insurance === 'branch-differs') return { verdict: 'contradiction', reasons: ['kana-agrees', insured] }
  if (insurance === 'agrees') return { verdict: 'same', reasons: ['kana-agrees', insured] }
  if (insurance === 'branch-missing')
    return a.multipleBirth || b.multipleBirth
      ? { verdict: 'twin', reasons: ['possible-twin', insured] }
      : { verdict: 'same', reasons: ['kana-agrees', insured] }
  if (!kanji) return { verdict: 'weak', reasons: ['kana-agrees', 'kanji-differs', insured] }
  if (contact) return { verdict: 'likely', reasons: ['kana-agrees', 'contact-agrees', insured] }
  return { verdict: 'weak', reasons: ['kana-agrees', 'no-second-evidence', insured] }
}

function agree<T>(a: T | null, b: T | null): boolean {
  return a !== null && a === b
}

interface Standing {
  person: PersonKey
  best: Candidate
  compared: Compared
  /** Some chart of this person speaks against. */
  against: Compared | null
}

const RANK: Record<Verdict, number> = {
  same: 3,
  likely: 2,
  weak: 1,
  contradiction: 0,
  twin: 0,
  different: -1,
}

/** Deterministic rules: attach on agreement that cannot be a twin's or a namesake's, otherwise ask a human. */
export const deterministicEngine: LinkageEngine = {
  name: 'deterministic',
  version: '1',
  place(record, candidates) {
    const persons = standings(record, candidates)
    if (persons.length === 0)
      return { kind: 'new-person', reasons: [isSparse(record) ? 'sparse-record' : 'nobody-alike'] }
    const against = persons.filter((p) => p.against !== null)
    if (against.length > 0) return review(against, reasonsOf(against.map((p) => p.against)))
    if (record.placeholder) return review(persons, ['placeholder-name'])
    for (const verdict of ['same', 'likely'] as const) {
      const alike = persons.filter((p) => p.compared.verdict === verdict)
      const rivals = verdict === 'same' ? alike : persons
      if (alike.length === 0) continue
      if (rivals.length > 1) return review(rivals, ['several-persons'])
      return attach(alike)
    }
    return review(persons, reasonsOf(persons.map((p) => p.compared)))
  },
}

function attach(alike: readonly Standing[]): Decision {
  const [only] = alike
  if (!only) throw new TypeError('attach to nobody')
  return { kind: 'attach', person: only.person, via: only.best.patient, reasons: only.compared.reasons }
}

function review(persons: readonly Standing[], reasons: Reason[]): Decision {
  return { kind: 'review', persons: persons.map((p) => p.person), reasons }
}

function reasonsOf(compared: readonly (Compared | null)[]): Reason[] {
  return [...new Set(compared.flatMap((c) => c?.reasons ?? []))]
}

function standings(record: LinkRecord, candidates: readonly Candidate[]): Standing[] {
  const persons = new Map<PersonKey, Standing>()
  for (const candidate of candidates) {
    const compared = comparePair(record, candidate)
    if (compared.verdict === 'different') continue
    const against = compared.verdict === 'twin' || compared.verdict === 'contradiction' ? compared : null
    const before = persons.get(candidate.person)
    if (!before || RANK[compared.verdict] > RANK[before.compared.verdict])
      persons.set(candidate.person, {
        person: candidate.person,
        best: candidate,
        compared,
        against: against ?? before?.against ?? null,
      })
    else if (against) before.against = against
  }
  return [...persons.values()]
}

export function isSparse(record: LinkRecord): boolean {
  return record.kanaFamily === null || record.kanaGiven === null || record.birthDate === null
}
