import type { Migration } from '@kakehashi/store/migrate'

export interface VaultTables {
  /** Codes handed to hospitals; the code itself is kept nowhere. */
  enrolment_code: {
    code_hash: string
    facility: string
    expires_at: number
    made_at: number
    made_by: string
    told_gateway_at: number | null
    agent: string | null
  }
  agent: {
    agent: string
    facility: string
    inbox_key: string
    inbox_key_id: string
    enrolled_at: number
    retired_at: number | null
    last_heard_at: number | null
    pending_batches: number | null
    checkpoint: string | null
    software: string | null
    /** The question of a restore whose list of records has not begun: the agent's version cannot read it yet. */
    records_owed: string | null
  }
  /** Every signing key an agent ever had; a retired one stays to be told from an unknown one. */
  agent_key: {
    key_id: string
    agent: string
    facility: string
    public_key: string
    enrolled_at: number
    retired_at: number | null
  }
  /** What a facility declared, every version, as canonical JSON of `FacilityDeclared`. */
  facility_declaration: {
    message: string
    facility: string
    agent: string
    declared_at: number
    received_at: number
    body: string
  }
  facility_intake: { facility: string; suspended_at: number; reason: string }
  batch: {
    batch: string
    agent: string
    facility: string
    digest: string
    size: number
    track: string
    sequence: number
    received_at: number
    outcome: 'accepted' | 'partly' | 'refused'
    code: string | null
    accepted: number
    refused: number
    /** The receipt's outbox message. */
    receipt: string
    /** Told the gateway to drop the sealed bytes. */
    dropped_at: number | null
  }
  /** Refusals inside a batch; `patient` is emptied when the person is erased. */
  batch_refusal: { batch: string; n: number; code: string; patient: string | null; record: string | null }
  /** Record of receipt (Art. 55). Outlives erasure, so it holds counts and item classes, no person. */
  receipt_record: {
    batch: string
    facility: string
    received_on: string
    hospital: string
    address: string
    representative: string
    acquisition: string
    patients: number
    records: number
    items: string
  }
  /** Which version of which record was admitted: the same version with other content is a conflict. */
  admitted_version: { record: string; patient: string; version: string; hash: string }
  /** Handles of notice papers, learnt from admitted evidence. */
  patient_handle: { handle: string; patient: string }
  quarantine: {
    batch: string
    digest: string
    agent: string
    code: string
    at: number
    sealed: Uint8Array | null
    erased_at: number | null
    cleared_by: string | null
    reason: string | null
  }
  incident: {
    incident: string
    severity: number
    kind: string
    facility: string | null
    batch: string | null
    opened_at: number
    detail: string
    cleared_at: number | null
    cleared_by: string | null
    reason: string | null
  }
  /** Charts whose notice turned out void after something was admitted: in no release until the incident is cleared. */
  doubted_chart: { incident: string; patient: string; since: number }
  /** `answered_at`: told the agent that it was applied; emptied when the agent says it again. */
  control_in: { message: string; agent: string; type: string; at: number; answered_at: number | null }
  outbox: {
    seq: number
    message: string
    agent: string
    type: string
    envelope: string
    made_at: number
    pushed_at: number | null
    acked_at: number | null
  }
  operator_status: { operator: string; standing: string; tracks: string; changed_at: number }
  cursor: { name: string; value: number }
  /** Rule files proposed by one of the operator's staff and approved by another. */
  rules_step: {
    seq: number
    step: 'proposed' | 'approved'
    hash: string
    rules: string | null
    staff: string
    at: number
  }
}

const vault: Migration = {
  name: '010-vault',
  up: (w) => [
    `CREATE TABLE enrolment_code (code_hash ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, expires_at ${w.int} NOT NULL, made_at ${w.int} NOT NULL, made_by ${w.text} NOT NULL, told_gateway_at ${w.int}, agent ${w.text})${w.strict}`,
    `CREATE TABLE agent (agent ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, inbox_key ${w.text} NOT NULL, inbox_key_id ${w.text} NOT NULL, enrolled_at ${w.int} NOT NULL, retired_at ${w.int}, last_heard_at ${w.int}, pending_batches ${w.int}, checkpoint ${w.text}, software ${w.text})${w.strict}`,
    `CREATE TABLE agent_key (key_id ${w.text} PRIMARY KEY, agent ${w.text} NOT NULL, facility ${w.text} NOT NULL, public_key ${w.text} NOT NULL, enrolled_at ${w.int} NOT NULL, retired_at ${w.int})${w.strict}`,
    `CREATE TABLE facility_declaration (message ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, agent ${w.text} NOT NULL, declared_at ${w.int} NOT NULL, received_at ${w.int} NOT NULL, body ${w.text} NOT NULL)${w.strict}`,
    `CREATE INDEX facility_declaration_newest ON facility_declaration (facility, declared_at)`,
    `CREATE TABLE facility_intake (facility ${w.text} PRIMARY KEY, suspended_at ${w.int} NOT NULL, reason ${w.text} NOT NULL)${w.strict}`,
    `CREATE TABLE batch (batch ${w.text} PRIMARY KEY, agent ${w.text} NOT NULL, facility ${w.text} NOT NULL, digest ${w.text} NOT NULL, size ${w.int} NOT NULL, track ${w.text} NOT NULL, sequence ${w.int} NOT NULL, received_at ${w.int} NOT NULL, outcome ${w.text} NOT NULL, code ${w.text}, accepted ${w.int} NOT NULL, refused ${w.int} NOT NULL, receipt ${w.text} NOT NULL, dropped_at ${w.int})${w.strict}`,
    `CREATE INDEX batch_facility ON batch (facility, received_at)`,
    `CREATE TABLE batch_refusal (batch ${w.text} NOT NULL, n ${w.int} NOT NULL, code ${w.text} NOT NULL, patient ${w.text}, record ${w.text}, PRIMARY KEY (batch, n))${w.strict}`,
    `CREATE INDEX batch_refusal_patient ON batch_refusal (patient)`,
    `CREATE TABLE receipt_record (batch ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, received_on ${w.text} NOT NULL, hospital ${w.text} NOT NULL, address ${w.text} NOT NULL, representative ${w.text} NOT NULL, acquisition ${w.text} NOT NULL, patients ${w.int} NOT NULL, records ${w.int} NOT NULL, items ${w.text} NOT NULL)${w.strict}`,
    `CREATE TABLE admitted_version (record ${w.text} NOT NULL, patient ${w.text} NOT NULL, version ${w.text} NOT NULL, hash ${w.text} NOT NULL, PRIMARY KEY (record, patient))${w.strict}`,
    `CREATE INDEX admitted_version_patient ON admitted_version (patient)`,
    `CREATE TABLE patient_handle (handle ${w.text} NOT NULL, patient ${w.text} NOT NULL, PRIMARY KEY (handle, patient))${w.strict}`,
    `CREATE INDEX patient_handle_patient ON patient_handle (patient)`,
    `CREATE TABLE quarantine (batch ${w.text} NOT NULL, digest ${w.text} NOT NULL, agent ${w.text} NOT NULL, code ${w.text} NOT NULL, at ${w.int} NOT NULL, sealed ${w.bytes}, erased_at ${w.int}, PRIMARY KEY (batch, digest))${w.strict}`,
    `CREATE TABLE incident (incident ${w.text} PRIMARY KEY, severity ${w.int} NOT NULL, kind ${w.text} NOT NULL, facility ${w.text}, batch ${w.text}, opened_at ${w.int} NOT NULL, detail ${w.text} NOT NULL, cleared_at ${w.int}, cleared_by ${w.text}, reason ${w.text})${w.strict}`,
    `CREATE TABLE control_in (message ${w.text} PRIMARY KEY, agent ${w.text} NOT NULL, type ${w.text} NOT NULL, at ${w.int} NOT NULL)${w.strict}`,
    `CREATE TABLE outbox (seq ${w.int} PRIMARY KEY, message ${w.text} NOT NULL UNIQUE, agent ${w.text} NOT NULL, type ${w.text} NOT NULL, envelope ${w.text} NOT NULL, made_at ${w.int} NOT NULL, pushed_at ${w.int}, acked_at ${w.int})${w.strict}`,
    `CREATE INDEX outbox_waiting ON outbox (pushed_at, seq)`,
    `CREATE TABLE operator_status (operator ${w.text} PRIMARY KEY, standing ${w.text} NOT NULL, tracks ${w.text} NOT NULL, changed_at ${w.int} NOT NULL)${w.strict}`,
    `CREATE TABLE cursor (name ${w.text} PRIMARY KEY, value ${w.int} NOT NULL)${w.strict}`,
  ],
}

const doubts: Migration = {
  name: '011-doubted-chart',
  up: (w) => [
    `CREATE TABLE doubted_chart (incident ${w.text} NOT NULL, patient ${w.text} NOT NULL, since ${w.int} NOT NULL, PRIMARY KEY (incident, patient))${w.strict}`,
    `CREATE INDEX doubted_chart_patient ON doubted_chart (patient)`,
  ],
}

const answers: Migration = {
  name: '012-answered-control',
  up: (w) => [
    `ALTER TABLE control_in ADD COLUMN answered_at ${w.int}`,
    `UPDATE control_in SET answered_at = at WHERE type IN ('heartbeat', 'refused')`,
    `CREATE INDEX control_in_unanswered ON control_in (agent) WHERE answered_at IS NULL`,
  ],
}

const clearing: Migration = {
  name: '013-quarantine-cleared',
  up: (w) => [
    `ALTER TABLE quarantine ADD COLUMN cleared_by ${w.text}`,
    `ALTER TABLE quarantine ADD COLUMN reason ${w.text}`,
  ],
}

const ruleFiles: Migration = {
  name: '014-rule-files',
  up: (w) => [
    `CREATE TABLE rules_step (seq ${w.int} PRIMARY KEY, step ${w.text} NOT NULL, hash ${w.text} NOT NULL, rules ${w.text}, staff ${w.text} NOT NULL, at ${w.int} NOT NULL)${w.strict}`,
  ],
}

const recordsOwed: Migration = {
  name: '015-records-owed',
  up: (w) => [`ALTER TABLE agent ADD COLUMN records_owed ${w.text}`],
}

export const vaultMigrations: readonly Migration[] = [
  vault,
  doubts,
  answers,
  clearing,
  ruleFiles,
  recordsOwed,
]
