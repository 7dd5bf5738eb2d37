import type { Migration } from '@kakehashi/store/migrate'

export interface IdentityTables {
  /** Identity resources as received (Patient, Coverage, RelatedPerson), newest version of each. */
  identity_source: {
    record: string
    patient: string
    type: string
    hash: string
    payload: string
    received_at: number
  }
  /** One chart, normalised; `changed_at` moves when any normalised value does. */
  identity_patient: {
    patient: string
    facility: string
    kana_family: string | null
    kana_given: string | null
    kanji_family: string | null
    kanji_given: string | null
    birth_date: string | null
    sex: string | null
    postal: string | null
    /** Digits, separated by spaces. */
    phones: string
    state: string | null
    placeholder: number
    multiple_birth: number
    normaliser: string
    changed_at: number
    /** Set when linkage has placed this very state of the chart. */
    placed: number
  }
  identity_insurance: {
    patient: string
    insurer: string
    symbol: string
    number: string
    /** Empty: the card has none. */
    branch: string
  }
  identity_erased: { handle: string; at: number }
  /** Who asked something of the operator, as said: of a stop or a ticket, by its number. JSON. */
  identity_asked: { about: string; said: string; at: number }
  identity_secret: { name: string; secret: Uint8Array }
}

export const identityMigrations: readonly Migration[] = [
  {
    name: '200-identity',
    up: (w) => [
      `CREATE TABLE identity_source (record ${w.text} PRIMARY KEY, patient ${w.text} NOT NULL, type ${w.text} NOT NULL, hash ${w.text} NOT NULL, payload ${w.text} NOT NULL, received_at ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX identity_source_patient ON identity_source (patient)`,
      `CREATE TABLE identity_patient (patient ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, kana_family ${w.text}, kana_given ${w.text}, kanji_family ${w.text}, kanji_given ${w.text}, birth_date ${w.text}, sex ${w.text}, postal ${w.text}, phones ${w.text} NOT NULL, state ${w.text}, placeholder ${w.int} NOT NULL, multiple_birth ${w.int} NOT NULL, normaliser ${w.text} NOT NULL, changed_at ${w.int} NOT NULL, placed ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX identity_birth ON identity_patient (birth_date, kana_given)`,
      `CREATE INDEX identity_name ON identity_patient (kana_family, kana_given)`,
      `CREATE INDEX identity_unplaced ON identity_patient (placed, patient)`,
      `CREATE TABLE identity_insurance (patient ${w.text} NOT NULL REFERENCES identity_patient (patient), insurer ${w.text} NOT NULL, symbol ${w.text} NOT NULL, number ${w.text} NOT NULL, branch ${w.text} NOT NULL, PRIMARY KEY (patient, insurer, symbol, number, branch))${w.strict}`,
      `CREATE INDEX identity_insured ON identity_insurance (insurer, symbol, number)`,
      `CREATE TABLE identity_erased (handle ${w.text} PRIMARY KEY, at ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE identity_secret (name ${w.text} PRIMARY KEY, secret ${w.bytes} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: '201-asked',
    up: (w) => [
      `CREATE TABLE identity_asked (about ${w.text} PRIMARY KEY, said ${w.text} NOT NULL, at ${w.int} NOT NULL)${w.strict}`,
    ],
  },
]
