import { openControl, sealControl } from '@kakehashi/protocol/control'
import type { Env } from '@kakehashi/protocol/env'
import { sealBatch, type SealedBatch } from '@kakehashi/protocol/envelope'
import {
  agentId,
  batchId,
  entityId,
  filingId,
  messageId,
  noticeId,
  operatorId,
  parsePatientKey,
  patientKey,
  type AgentId,
  type BatchId,
  type FacilityId,
  type StopHandle,
} from '@kakehashi/protocol/ids'
import {
  CONTROL_VERSION,
  type Control,
  type ControlEnvelope,
  type EnrolmentAnswer,
  type Receipt,
  type UpControl,
} from '@kakehashi/protocol/messages'
import type { BatchContent, Evidence, SourceRecord } from '@kakehashi/protocol/records'
import { signRequest } from '@kakehashi/protocol/requests'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import type { FacilityState, NoticeFact, PatientState, Track } from '@kakehashi/protocol/rules/state'
import { fromBase64, keyIdOf, newBoxKey, newSigningKey, toBase64 } from '@kakehashi/protocol/signing'
import type { BoxKey, SigningKey } from '@kakehashi/protocol/signing'
import { readJson, type Answer } from './call.ts'
import { sourceRecord } from './content/records.fixture.ts'
import type { Gateway } from './gateway/gateway.ts'

const OPERATOR_ID = operatorId('op-1')
const OPERATORS = [OPERATOR_ID]
const HASH = 'a'.repeat(64)

/** Facts a hospital declares: one legal person, one notice text, one filing, both since April. */
export function facilityFacts(facility: FacilityId, change: Partial<FacilityState> = {}): FacilityState {
  return {
    facility,
    entity: {
      entity: entityId(`entity-${facility}`),
      name: '医療法人みなと会',
      address: '神奈川県横浜市中区海岸通1',
      representative: '港 一郎',
    },
    templates: [
      {
        version: 1,
        track: 'ANON',
        hash: HASH,
        items: ['identity', 'insurance', 'encounter', 'diagnosis', 'laboratory', 'medication'],
        operators: OPERATORS,
        publishedAt: Date.parse('2026-04-01T00:00:00+09:00'),
        saysOneMonth: false,
      },
    ],
    filings: [
      {
        filing: filingId('filing-1'),
        track: 'ANON',
        templateVersion: 1,
        acceptedOn: '2026-04-10',
        endedOn: null,
      },
    ],
    waitDays: 30,
    deathPolicy: 'hold',
    closedDays: [],
    endedOn: null,
    ...change,
  }
}

export function notice(change: Partial<NoticeFact> = {}): NoticeFact {
  const deliveredAt = change.deliveredAt ?? Date.parse('2026-05-01T10:00:00+09:00')
  return {
    notice: noticeId('notice-1'),
    track: 'ANON',
    templateVersion: 1,
    templateHash: HASH,
    operators: OPERATORS,
    recipient: 'person',
    recipientState: 'able',
    method: 'handed',
    deliveredAt,
    recordedAt: deliveredAt,
    standing: 'effective',
    ...change,
  }
}

export function patientState(
  facility: FacilityId,
  local: string,
  change: Partial<PatientState> = {},
): PatientState {
  return {
    patient: patientKey(facility, local),
    birthDate: '1970-03-03',
    deceasedOn: null,
    capacity: 'able',
    capacityReturnedAt: null,
    notices: [notice()],
    stops: [],
    holds: [],
    handles: [],
    ...change,
  }
}

/** A hospital's agent as the tests play it: it sends whatever it is told, gate or no gate. */
export class HospitalHand {
  readonly env: Env
  readonly gateway: Gateway
  readonly agent: AgentId
  readonly facility: FacilityId
  signing: SigningKey
  readonly inbox: BoxKey
  readonly hub: EnrolmentAnswer
  facts: FacilityState
  #sequence = 0

  constructor(
    env: Env,
    gateway: Gateway,
    keys: { agent: AgentId; facility: FacilityId; signing: SigningKey; inbox: BoxKey },
    hub: EnrolmentAnswer,
  ) {
    this.env = env
    this.gateway = gateway
    this.agent = keys.agent
    this.facility = keys.facility
    this.signing = keys.signing
    this.inbox = keys.inbox
    this.hub = hub
    this.facts = facilityFacts(keys.facility)
  }

  static async enrol(env: Env, gateway: Gateway, facility: FacilityId, code: string): Promise<HospitalHand> {
    const keys = {
      agent: agentId(`agent-${facility}`),
      facility,
      signing: newSigningKey(env),
      inbox: newBoxKey(env),
    }
    const body = {
      code,
      agent: keys.agent,
      facility,
      signingKey: toBase64(keys.signing.public),
      inboxKey: toBase64(keys.inbox.public),
    }
    const answer = await gateway.handle({
      method: 'POST',
      path: '/v1/enrol',
      headers: {},
      body: new TextEncoder().encode(JSON.stringify(body)),
    })
    if (answer.status !== 200) throw new Error(new TextDecoder().decode(answer.body))
    return new HospitalHand(env, gateway, keys, readJson(answer) as EnrolmentAnswer)
  }

  async call(method: string, path: string, body: Uint8Array | object = new Uint8Array(0)): Promise<Answer> {
    const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body))
    const headers = signRequest({ method, path, body: bytes }, this.agent, this.signing, this.env)
    return this.gateway.handle({ method, path, headers, body: bytes })
  }

  async say(said: object): Promise<void> {
    const body = {
      version: CONTROL_VERSION,
      message: messageId(this.env.id()),
      at: this.env.now(),
      ...said,
    } as UpControl
    const recipient = fromBase64(this.hub.vaultKey)
    const to = {
      agent: this.agent,
      direction: 'up' as const,
      recipient: { id: keyIdOf(recipient), public: recipient },
    }
    const answer = await this.call('POST', '/v1/control', sealControl(body, to, this.signing))
    if (answer.status !== 200) throw new Error(new TextDecoder().decode(answer.body))
  }

  async declare(change: Partial<FacilityState> = {}): Promise<void> {
    this.facts = facilityFacts(this.facility, change)
    await this.say({ type: 'facility-declared', ...this.facts })
  }

  evidence(patient: PatientState): Evidence {
    return {
      state: {
        facility: this.facts,
        patient,
        operator: { operator: OPERATOR_ID, tracks: ['ANON'], standing: 'certified', asOf: this.env.now() },
        latestSeen: this.env.now(),
      },
      decidedAt: this.env.now(),
      ruleVersion: rulesAt(this.env.now()).version,
    }
  }

  /** Evidence of the patients, and for each a Patient resource and one laboratory result. */
  content(...patients: PatientState[]): BatchContent {
    return {
      evidence: patients.map((patient) => this.evidence(patient)),
      records: patients.flatMap((patient) => this.records(patient)),
      tombstones: [],
    }
  }

  records({ patient }: PatientState, value = '6.10'): SourceRecord[] {
    const local = patient.slice(patient.indexOf('/') + 1)
    const key = parsePatientKey(patient)
    return [
      sourceRecord(key, {
        resourceType: 'Patient',
        id: `p-${local}`,
        identifier: [{ value: local }],
        name: [{ family: `患者${local}`, given: ['花子'] }],
        birthDate: '1970-03-03',
        gender: 'female',
      }),
      sourceRecord(key, {
        resourceType: 'Observation',
        id: `o-${local}`,
        subject: { reference: `Patient/p-${local}` },
        status: 'final',
        code: { coding: [{ system: 'urn:oid:1.2.392.200119.4.504', code: '3D045000001906202' }] },
        valueQuantity: { value: Number(value), unit: '%' },
      }),
    ]
  }

  seal(
    content: BatchContent,
    about: {
      batch?: BatchId
      facility?: FacilityId
      track?: Track
      signing?: SigningKey
      vault?: Uint8Array
    } = {},
  ): SealedBatch {
    const vault = about.vault ?? fromBase64(this.hub.vaultKey)
    return sealBatch(
      content,
      {
        batch: about.batch ?? batchId(this.env.id()),
        agent: this.agent,
        facility: about.facility ?? this.facility,
        operator: OPERATOR_ID,
        track: about.track ?? 'ANON',
        sequence: ++this.#sequence,
        ruleVersion: rulesAt(this.env.now()).version,
        createdAt: this.env.now(),
      },
      { signing: about.signing ?? this.signing, recipients: [{ id: keyIdOf(vault), public: vault }] },
      this.env,
    )
  }

  async upload(batch: string, bytes: Uint8Array, digest: string): Promise<Answer> {
    const path = `/v1/batches/${batch}?offset=0&size=${bytes.length}&digest=${digest}`
    return this.call('PUT', path, bytes)
  }

  async send(content: BatchContent, about: Parameters<HospitalHand['seal']>[1] = {}): Promise<SealedBatch> {
    const sealed = this.seal(content, about)
    const answer = await this.upload(sealed.header.batch, sealed.bytes, sealed.digest)
    if (answer.status !== 200) throw new Error(new TextDecoder().decode(answer.body))
    return sealed
  }

  /** What waits in the mailbox, opened and verified; nothing is acknowledged. */
  async mail(): Promise<Control[]> {
    const all: Control[] = []
    for (let after = 0; ;) {
      const page = readJson(await this.call('GET', `/v1/control?after=${after}`)) as {
        messages: ControlEnvelope[]
        next: number
      }
      if (page.messages.length === 0) return all
      for (const envelope of page.messages) {
        const body = openControl(envelope, this.inbox, fromBase64(this.hub.vaultSigningKey))
        if (!body) throw new Error('a message of the vault does not open')
        all.push(body)
      }
      after = page.next
    }
  }

  async acknowledge(messages: string[]): Promise<void> {
    await this.call('POST', '/v1/control/acks', { messages })
  }

  async receiptOf(batch: string): Promise<Receipt | null> {
    const found = (await this.mail()).filter((one) => one.type === 'receipt' && one.batch === batch)
    return (found.at(-1) as Receipt | undefined) ?? null
  }

  handles(...handles: StopHandle[]): StopHandle[] {
    return handles
  }
}
