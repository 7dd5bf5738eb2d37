import type { Migration } from '@kakehashi/store/migrate'
import { STATES, type ReleaseState, type Stage } from './rules.ts'

export interface ReleaseTables {
  release: {
    id: string
    state: ReleaseState
    author: string
    application: string
    profile: string
    /** Counts submissions, so that a vote is for one submission only. */
    revision: number
    /** Of application, profile and revision together: what reviewers vote on. */
    digest: string
    build: string | null
    package_digest: string | null
    created_at: number
    changed_at: number
  }
  release_reviewer: { release: string; reviewer: string; author: string; named_by: string; at: number }
  release_vote: {
    release: string
    stage: Stage
    digest: string
    reviewer: string
    answer: 'approve' | 'reject'
    conflict: number
    reason: string
    at: number
  }
  /** Exists only with two approving votes of two reviewers: the database will not hold another. */
  release_passed: {
    release: string
    stage: Stage
    digest: string
    first: string
    second: string
    answer: 'approve'
    at: number
  }
  release_build: {
    id: string
    release: string
    directory: string
    package_digest: string
    persons: number
    fingerprint: Uint8Array
    made_at: number
    dropped_at: number | null
  }
  /** The key table of one build, and whose charts are in it; destroyed on delivery or when the build is dropped. */
  release_person: { build: string; person: string; pseudonym: string; offset_days: number }
  release_member: { build: string; patient: string }
  release_event: {
    release: string
    seq: number
    at: number
    actor: string
    event: string
    to_state: ReleaseState
    note: string
  }
  release_delivery: {
    release: string
    build: string
    package_digest: string
    recipient_key: string
    sealed_sha256: string
    at: number
  }
}

const states = STATES.map((s) => `'${s}'`).join(', ')

export const releaseMigrations: readonly Migration[] = [
  {
    name: '300-release',
    up: (w) => [
      `CREATE TABLE release (id ${w.text} PRIMARY KEY, state ${w.text} NOT NULL CHECK (state IN (${states})), author ${w.text} NOT NULL, application ${w.text} NOT NULL, profile ${w.text} NOT NULL, revision ${w.int} NOT NULL, digest ${w.text} NOT NULL, build ${w.text}, package_digest ${w.text}, created_at ${w.int} NOT NULL, changed_at ${w.int} NOT NULL, UNIQUE (id, author))${w.strict}`,
      `CREATE TABLE release_reviewer (release ${w.text} NOT NULL, reviewer ${w.text} NOT NULL, author ${w.text} NOT NULL, named_by ${w.text} NOT NULL, at ${w.int} NOT NULL, PRIMARY KEY (release, reviewer), CHECK (reviewer <> author), FOREIGN KEY (release, author) REFERENCES release (id, author))${w.strict}`,
      `CREATE TABLE release_vote (release ${w.text} NOT NULL, stage ${w.text} NOT NULL CHECK (stage IN ('review', 'output')), digest ${w.text} NOT NULL, reviewer ${w.text} NOT NULL, answer ${w.text} NOT NULL CHECK (answer IN ('approve', 'reject')), conflict ${w.int} NOT NULL, reason ${w.text} NOT NULL, at ${w.int} NOT NULL, PRIMARY KEY (release, stage, digest, reviewer), UNIQUE (release, stage, digest, reviewer, answer, conflict), FOREIGN KEY (release, reviewer) REFERENCES release_reviewer (release, reviewer))${w.strict}`,
      `CREATE TABLE release_passed (release ${w.text} NOT NULL, stage ${w.text} NOT NULL, digest ${w.text} NOT NULL, first ${w.text} NOT NULL, second ${w.text} NOT NULL, answer ${w.text} NOT NULL CHECK (answer = 'approve'), conflict ${w.int} NOT NULL DEFAULT 0 CHECK (conflict = 0), at ${w.int} NOT NULL, PRIMARY KEY (release, stage, digest), CHECK (first <> second), FOREIGN KEY (release, stage, digest, first, answer, conflict) REFERENCES release_vote (release, stage, digest, reviewer, answer, conflict), FOREIGN KEY (release, stage, digest, second, answer, conflict) REFERENCES release_vote (release, stage, digest, reviewer, answer, conflict))${w.strict}`,
      `CREATE TABLE release_build (id ${w.text} PRIMARY KEY, release ${w.text} NOT NULL REFERENCES release (id), directory ${w.text} NOT NULL, package_digest ${w.text} NOT NULL, persons ${w.int} NOT NULL, fingerprint ${w.bytes} NOT NULL, made_at ${w.int} NOT NULL, dropped_at ${w.int})${w.strict}`,
      `CREATE TABLE release_person (build ${w.text} NOT NULL REFERENCES release_build (id), person ${w.text} NOT NULL, pseudonym ${w.text} NOT NULL, offset_days ${w.int} NOT NULL CHECK (offset_days <> 0), PRIMARY KEY (build, person))${w.strict}`,
      `CREATE TABLE release_member (build ${w.text} NOT NULL REFERENCES release_build (id), patient ${w.text} NOT NULL, PRIMARY KEY (build, patient))${w.strict}`,
      `CREATE INDEX release_member_patient ON release_member (patient)`,
      `CREATE TABLE release_event (release ${w.text} NOT NULL REFERENCES release (id), seq ${w.int} NOT NULL, at ${w.int} NOT NULL, actor ${w.text} NOT NULL, event ${w.text} NOT NULL, to_state ${w.text} NOT NULL, note ${w.text} NOT NULL, PRIMARY KEY (release, seq))${w.strict}`,
      `CREATE TABLE release_delivery (release ${w.text} PRIMARY KEY REFERENCES release (id), build ${w.text} NOT NULL, package_digest ${w.text} NOT NULL, recipient_key ${w.text} NOT NULL, sealed_sha256 ${w.text} NOT NULL, at ${w.int} NOT NULL)${w.strict}`,
    ],
  },
]
