import type { Migration } from '@kakehashi/store/migrate'

export interface RequestTables {
  /** The vault's own stop list. `all_charts` is not known here: the charts are in `stop_chart`. */
  stop: {
    stop: string
    origin: 'agent' | 'portal' | 'operator'
    agent: string | null
    handle: string | null
    tracks: string | null
    operators: string | null
    requester: string
    standing: 'provisional' | 'confirmed' | 'withdrawn' | 'undone'
    asked_at: number
    received_at: number
    erasure_asked: number
    withdrawn_at: number | null
    /** Receipt number the asker was given at the portal. */
    receipt: string | null
  }
  /** `added_at` is 0 where the row is older than the column. */
  stop_chart: { stop: string; patient: string; added_at: number }
  stop_handle: { stop: string; handle: string }
  /** The charts by keyed hash: what still holds after the chart's own name was erased. */
  stop_hash: { stop: string; hash: string }
  /** Name and birth date by keyed hash, of a person said by name: whoever bears them is stopped at first sight. */
  stop_name: { stop: string; hash: string }
  /** Under what the portal keeps how far a stop came, and what it was last told. */
  portal_asked: { stop: string; state_key: string; by_token: number; asked_at: number; told: string | null }
  /** Requests of the portal that could not be opened, sealed as they came. */
  portal_unread: { request: string; box: string; received_at: number }
  /** How a stop came to the operator's desk. `facilities` as JSON; `null`: every hospital. */
  stop_intake: {
    stop: string
    channel: 'phone' | 'post' | 'web' | 'desk'
    taken_by: string
    facilities: string | null
    erasure_wanted: number
    identity_check: string
    verified_by: string | null
    verified_at: number | null
    erasure: string | null
  }
  /** A question or complaint (LAW R45); who asked and what lies in the identity store. */
  ticket: {
    ticket: string
    kind: 'question' | 'complaint' | 'stop'
    channel: 'phone' | 'post' | 'web' | 'desk'
    opened_at: number
    opened_by: string
    due_on: string
    stop: string | null
    answered_at: number | null
    answered_by: string | null
  }
  /** To which agents the stop was passed on, and when each had applied it. */
  stop_delivery: { stop: string; agent: string; message: string; sent_at: number; acked_at: number | null }
  /** A hospital ended a stop for itself: for its own charts, or, where it was asked, also for the others. */
  stop_left: { stop: string; facility: string; left_at: number; undone: number }
  /** Charts, by keyed hash, that only bear the name a stop was said for: it is none of theirs. */
  stop_freed: { stop: string; hash: string; freed_at: number }
  /** The document of Art. 53 at each hospital: where its own words last had it. */
  slip_move: {
    stop: string
    facility: string
    document: string
    move: 'handed' | 'posted' | 'electronic' | 'bounced'
    moved_at: number
    received_at: number
  }
  /** The words of each published notice, as the hospital declared them; checked against their hash. */
  notice_text: {
    facility: string
    track: 'ANON' | 'PSEUDO'
    version: number
    language: string
    hash: string
    text: string
  }
  erasure: {
    erasure: string
    state: 'asked' | 'erasing' | 'done'
    asked_at: number
    asked_by: string
    stop: string | null
    /** Patient keys as JSON while the work lasts; emptied when it is done. */
    patients: string
    done_at: number | null
    certificate: string | null
  }
  /** Keyed hashes of erased charts: what arrives later is refused with `ERASED`. */
  tombstone: { hash: string; erasure: string; at: number; hits: number }
  /** Erased charts by a hash under their facility's own key: what the hospital is told after a restore. */
  erased_chart: { facility: string; hash: string }
  /** What an erasure has removed so far, place by place: its certificate tells of every run. */
  erasure_place: { erasure: string; place: string; count: number }
}

const requests: Migration = {
  name: '020-requests',
  up: (w) => [
    `CREATE TABLE stop (stop ${w.text} PRIMARY KEY, origin ${w.text} NOT NULL, agent ${w.text}, handle ${w.text}, tracks ${w.text}, operators ${w.text}, requester ${w.text} NOT NULL, standing ${w.text} NOT NULL, asked_at ${w.int} NOT NULL, received_at ${w.int} NOT NULL, erasure_asked ${w.int} NOT NULL, withdrawn_at ${w.int}, receipt ${w.text})${w.strict}`,
    `CREATE TABLE stop_chart (stop ${w.text} NOT NULL, patient ${w.text} NOT NULL, PRIMARY KEY (stop, patient))${w.strict}`,
    `CREATE INDEX stop_chart_patient ON stop_chart (patient)`,
    `CREATE TABLE stop_handle (stop ${w.text} NOT NULL, handle ${w.text} NOT NULL, PRIMARY KEY (stop, handle))${w.strict}`,
    `CREATE INDEX stop_handle_handle ON stop_handle (handle)`,
    `CREATE TABLE stop_delivery (stop ${w.text} NOT NULL, agent ${w.text} NOT NULL, message ${w.text} NOT NULL UNIQUE, sent_at ${w.int} NOT NULL, acked_at ${w.int}, PRIMARY KEY (stop, agent))${w.strict}`,
    `CREATE TABLE erasure (erasure ${w.text} PRIMARY KEY, state ${w.text} NOT NULL, asked_at ${w.int} NOT NULL, asked_by ${w.text} NOT NULL, stop ${w.text}, patients ${w.text} NOT NULL, done_at ${w.int}, certificate ${w.text})${w.strict}`,
    `CREATE TABLE tombstone (hash ${w.text} PRIMARY KEY, erasure ${w.text} NOT NULL, at ${w.int} NOT NULL, hits ${w.int} NOT NULL)${w.strict}`,
  ],
}

const stopHashes: Migration = {
  name: '021-stop-hash',
  up: (w) => [
    `CREATE TABLE stop_hash (stop ${w.text} NOT NULL, hash ${w.text} NOT NULL, PRIMARY KEY (stop, hash))${w.strict}`,
    `CREATE INDEX stop_hash_hash ON stop_hash (hash)`,
  ],
}

const erasurePlaces: Migration = {
  name: '023-erasure-place',
  up: (w) => [
    `CREATE TABLE erasure_place (erasure ${w.text} NOT NULL, place ${w.text} NOT NULL, count ${w.int} NOT NULL, PRIMARY KEY (erasure, place))${w.strict}`,
  ],
}

const erasedCharts: Migration = {
  name: '022-erased-chart',
  up: (w) => [
    `CREATE TABLE erased_chart (facility ${w.text} NOT NULL, hash ${w.text} NOT NULL, PRIMARY KEY (facility, hash))${w.strict}`,
  ],
}

const intake: Migration = {
  name: '024-intake',
  up: (w) => [
    `CREATE TABLE stop_name (stop ${w.text} NOT NULL, hash ${w.text} NOT NULL, PRIMARY KEY (stop, hash))${w.strict}`,
    `CREATE INDEX stop_name_hash ON stop_name (hash)`,
    `CREATE TABLE stop_intake (stop ${w.text} PRIMARY KEY, channel ${w.text} NOT NULL, taken_by ${w.text} NOT NULL, facilities ${w.text}, erasure_wanted ${w.int} NOT NULL, identity_check ${w.text} NOT NULL, verified_by ${w.text}, verified_at ${w.int}, erasure ${w.text})${w.strict}`,
    `CREATE TABLE ticket (ticket ${w.text} PRIMARY KEY, kind ${w.text} NOT NULL, channel ${w.text} NOT NULL, opened_at ${w.int} NOT NULL, opened_by ${w.text} NOT NULL, due_on ${w.text} NOT NULL, stop ${w.text}, answered_at ${w.int}, answered_by ${w.text})${w.strict}`,
  ],
}

const portalAsked: Migration = {
  name: '025-portal-asked',
  up: (w) => [
    `CREATE TABLE portal_asked (stop ${w.text} PRIMARY KEY, state_key ${w.text} NOT NULL, by_token ${w.int} NOT NULL, asked_at ${w.int} NOT NULL, told ${w.text})${w.strict}`,
  ],
}

const chartTimes: Migration = {
  name: '026-stop-chart-at',
  up: (w) => [`ALTER TABLE stop_chart ADD COLUMN added_at ${w.int} NOT NULL DEFAULT 0`],
}

const portalUnread: Migration = {
  name: '027-portal-unread',
  up: (w) => [
    `CREATE TABLE portal_unread (request ${w.text} PRIMARY KEY, box ${w.text} NOT NULL, received_at ${w.int} NOT NULL)${w.strict}`,
  ],
}

const stopLeft: Migration = {
  name: '028-stop-left',
  up: (w) => [
    `CREATE TABLE stop_left (stop ${w.text} NOT NULL, facility ${w.text} NOT NULL, left_at ${w.int} NOT NULL, undone ${w.int} NOT NULL, PRIMARY KEY (stop, facility))${w.strict}`,
  ],
}

const slipsAndTexts: Migration = {
  name: '029-slips-and-notice-texts',
  up: (w) => [
    `CREATE TABLE slip_move (stop ${w.text} NOT NULL, facility ${w.text} NOT NULL, document ${w.text} NOT NULL, move ${w.text} NOT NULL, moved_at ${w.int} NOT NULL, received_at ${w.int} NOT NULL, PRIMARY KEY (stop, facility, document))${w.strict}`,
    `CREATE TABLE notice_text (facility ${w.text} NOT NULL, track ${w.text} NOT NULL, version ${w.int} NOT NULL, language ${w.text} NOT NULL, hash ${w.text} NOT NULL, text ${w.text} NOT NULL, PRIMARY KEY (facility, track, version, language))${w.strict}`,
  ],
}

const stopFreed: Migration = {
  name: '030-stop-freed',
  up: (w) => [
    `CREATE TABLE stop_freed (stop ${w.text} NOT NULL, hash ${w.text} NOT NULL, freed_at ${w.int} NOT NULL, PRIMARY KEY (stop, hash))${w.strict}`,
  ],
}

export const requestMigrations: readonly Migration[] = [
  requests,
  stopHashes,
  erasedCharts,
  erasurePlaces,
  intake,
  portalAsked,
  chartTimes,
  portalUnread,
  stopLeft,
  slipsAndTexts,
  stopFreed,
]
