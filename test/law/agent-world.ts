import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAgent, type Agent } from '@kakehashi/agent/agent'
import { newAgentKeys } from '@kakehashi/agent/keys'
import { BulkFolder } from '@kakehashi/agent/sources/fhir/bulk-folder'
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { sourceIndex } from '@kakehashi/agent/sources/source-index'
import { openAgentStore, type AgentStore } from '@kakehashi/agent/store/store'
import type { Wire } from '@kakehashi/agent/uplink/wire-shape'
import type { Call } from '@kakehashi/hub/call'
import { enrolmentCodeHash } from '@kakehashi/hub/gateway/enrolment'
import { createGateway, type Gateway } from '@kakehashi/hub/gateway/gateway'
import { openGatewayStore, type GatewayStore } from '@kakehashi/hub/gateway/store'
import { openControl, sealControl } from '@kakehashi/protocol/control'
import { openBatch, verifyBatch } from '@kakehashi/protocol/envelope'
import type { Env, Instant } from '@kakehashi/protocol/env'
import {
  agentId,
  entityId,
  facilityId,
  filingId,
  messageId,
  operatorId,
  patientKey,
  type PatientKey,
} from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import {
  CONTROL_VERSION,
  type ControlEnvelope,
  type DownControl,
  type EnrolmentAnswer,
  type Receipt,
  type UpControl,
} from '@kakehashi/protocol/messages'
import type { BatchContent } from '@kakehashi/protocol/records'
import { signRequest } from '@kakehashi/protocol/requests'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { newBoxKey, newSigningKey, toBase64 } from '@kakehashi/protocol/signing'
import { noticeNaming } from './notice.fixture.ts'

export const FACILITY = facilityId('midori')
export const OPERATOR = operatorId('op-1')
export const DAY = 24 * 3600 * 1000
/** 2026-04-01 09:00 in Tokyo. */
export const APRIL_1 = Date.UTC(2026, 3, 1)

export const chart = (number: string): PatientKey => patientKey(FACILITY, number)

function virtualEnv(clock: { now: Instant }): Env {
  let count = 0
  return {
    now: () => clock.now,
    random: (n) =>
      Uint8Array.from({ length: n }, () => (count = (count * 1_103_515_245 + 12_345) >>> 0) >>> 24),
    id: () => `id-${(count = (count + 7) >>> 0).toString(36)}-${(count % 977).toString(36)}`,
    after: () => () => {},
  }
}

const ids = (prefix: string, env: Env): Env => {
  let n = 0
  return { ...env, id: () => `${prefix}-${(n += 1)}` }
}

export interface Resource {
  resourceType: string
  id: string
  [member: string]: unknown
}

export const person = (number: string, birthDate = '1950-06-01'): Resource => ({
  resourceType: 'Patient',
  id: number,
  birthDate,
  identifier: [{ system: 'urn:oid:1.2.392.100495.20.3.51', value: number }],
})

export const result = (number: string, id: string, value = 5.6): Resource => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  category: [{ coding: [{ code: 'laboratory' }] }],
  code: { text: 'HbA1c' },
  subject: { reference: `Patient/${number}` },
  valueQuantity: { value, unit: '%' },
})

/** The vault's voice and ear, over a real gateway: what a vault may do, one act at a time. */
export class VaultVoice {
  readonly box
  readonly signing
  readonly #env: Env
  readonly #gateway: Gateway
  #upAfter = 0
  constructor(
    env: Env,
    gateway: Gateway,
    keys: { box: ReturnType<typeof newBoxKey>; signing: ReturnType<typeof newSigningKey> },
  ) {
    this.#env = ids('vault', env)
    this.#gateway = gateway
    this.box = keys.box
    this.signing = keys.signing
  }

  async call(
    method: string,
    path: string,
    body: unknown = null,
  ): Promise<{ status: number; bytes: Uint8Array; json: () => unknown }> {
    const bytes = body === null ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body))
    const headers = signRequest({ method, path, body: bytes }, 'vault', this.signing, this.#env)
    const answer = await this.#gateway.handle({ method, path, headers, body: bytes })
    return {
      status: answer.status,
      bytes: answer.body,
      json: () => JSON.parse(new TextDecoder().decode(answer.body)),
    }
  }

  async offer(code: string): Promise<void> {
    await this.call('POST', '/v1/vault/enrolments', {
      codeHash: enrolmentCodeHash(code),
      facility: FACILITY,
      expiresAt: this.#env.now() + DAY,
    })
  }

  async say(
    to: Agent,
    draft: Record<string, unknown> & { type: DownControl['type'] },
    message?: string,
  ): Promise<void> {
    const { keys } = to.context
    const body = {
      ...draft,
      version: CONTROL_VERSION,
      message: messageId(message ?? this.#env.id()),
      at: this.#env.now(),
    } as unknown as DownControl
    const envelope = sealControl(
      body,
      { agent: keys.agent, direction: 'down', recipient: { id: keys.inbox.id, public: keys.inbox.public } },
      this.signing,
    )
    await this.call('POST', '/v1/vault/control', envelope)
  }

  async sayCertified(to: Agent, asOf = this.#env.now()): Promise<void> {
    await this.say(to, {
      type: 'operator-status',
      operator: OPERATOR,
      name: '認定事業者',
      address: '東京都千代田区1-1',
      tracks: ['ANON'],
      standing: 'certified',
      asOf,
    })
  }

  /** What agents reported since the last time, opened and verified. */
  async hear(from: Agent): Promise<UpControl[]> {
    const page = (await this.call('GET', `/v1/vault/control?after=${this.#upAfter}`)).json() as {
      messages: ControlEnvelope[]
      next: number
    }
    if (page.messages.length > 0) this.#upAfter = page.next
    return page.messages.map((envelope) => {
      const body = openControl(envelope, this.box, from.context.keys.signing.public)
      if (!body) throw new Error('a message the vault cannot open')
      return body as unknown as UpControl
    })
  }

  /** Every batch that lies at the gateway, opened. */
  async batches(from: Agent): Promise<{ batch: string; digest: string; content: BatchContent }[]> {
    const rows = (await this.call('GET', '/v1/vault/batches?after=0&limit=100')).json() as {
      batch: string
      digest: string
    }[]
    const opened = []
    for (const { batch, digest } of rows) {
      const { bytes } = await this.call('GET', `/v1/vault/batches/${batch}`)
      verifyBatch(bytes, from.context.keys.signing.public)
      opened.push({ batch, digest, content: openBatch(bytes, this.box) })
    }
    return opened
  }

  /** The receipt for one batch, and the gateway told that it is done. */
  async receipt(
    to: Agent,
    batch: { batch: string; digest: string; content: BatchContent },
    refusals: Receipt['refusals'] = [],
  ): Promise<void> {
    const records = batch.content.records.length + batch.content.tombstones.length
    const refused = refusals.filter((r) => r.record !== null).length
    const whole = refusals.some((r) => r.record === null && r.patient === null)
    await this.say(to, {
      type: 'receipt',
      batch: batch.batch,
      digest: batch.digest,
      outcome: whole ? 'refused' : refusals.length > 0 ? 'partly' : 'accepted',
      accepted: whole ? 0 : records - refused,
      refusals,
    })
    await this.call('POST', `/v1/vault/batches/${batch.batch}/done`)
  }
}

export interface World {
  clock: { now: Instant }
  folder: string
  agent: Agent
  store: AgentStore
  gateway: Gateway
  gatewayStore: GatewayStore
  vault: VaultVoice
  /** What the agent put on the line, oldest first. */
  sent: { method: string; path: string }[]
  /** Replaces the line; `null`: the real gateway. */
  line: { broken: ((call: Call) => boolean) | null }
  write(name: string, resources: readonly Resource[]): void
  /** A second life of the same disk: everything in memory is lost. */
  restart(): Promise<Agent>
  [Symbol.dispose](): void
}

/** One hospital with a bulk folder, its agent enrolled at a real gateway, and somebody who speaks as the vault. */
export async function world(start: Instant = APRIL_1): Promise<World> {
  const clock = { now: start }
  const env = virtualEnv(clock)
  const folder = mkdtempSync(join(tmpdir(), 'kakehashi-agent-'))
  mkdirSync(folder, { recursive: true })
  const keys = newAgentKeys(env, agentId('agent-midori'))
  const vaultKeys = { box: newBoxKey(env), signing: newSigningKey(env) }
  const gatewayStore = await openGatewayStore(new DatabaseSync(':memory:'), env)
  const gateway = createGateway({
    env: ids('gateway', env),
    store: gatewayStore,
    key: newSigningKey(env),
    operator: { operator: OPERATOR, name: '認定事業者', address: '東京都千代田区1-1' },
    vault: { box: vaultKeys.box.public, signing: vaultKeys.signing.public },
    log: silentLog,
  })
  const vault = new VaultVoice(env, gateway, vaultKeys)
  await vault.offer('CODE-1234-5678')
  const enrolled = await gateway.handle({
    method: 'POST',
    path: '/v1/enrol',
    headers: {},
    body: new TextEncoder().encode(
      JSON.stringify({
        code: 'CODE-1234-5678',
        agent: keys.agent,
        facility: FACILITY,
        signingKey: toBase64(keys.signing.public),
        inboxKey: toBase64(keys.inbox.public),
      }),
    ),
  })
  const hub = JSON.parse(new TextDecoder().decode(enrolled.body)) as EnrolmentAnswer
  const disk = new DatabaseSync(':memory:')
  const store = await openAgentStore(disk, ids('agent', env))
  const sent: World['sent'] = []
  const line: World['line'] = { broken: null }
  const wire: Wire = {
    async request({ method, path, headers, body }) {
      sent.push({ method, path })
      if (line.broken?.({ method, path, headers, body })) throw new Error('the line is down')
      const answer = await gateway.handle({ method, path, headers, body })
      return { status: answer.status, body: answer.body }
    },
    connect: (_request, events) => {
      queueMicrotask(() => events.closed())
      return { send: () => {}, close: () => {} }
    },
  }
  let lives = 0
  const live = (): Agent =>
    createAgent({
      env: ids(`life${(lives += 1)}`, env),
      store,
      keys,
      hub,
      config: { facility: FACILITY, track: 'ANON' },
      connectors: [
        new BulkFolder({
          source: 'ehr',
          facility: FACILITY,
          folder,
          bases: [],
          labels: LABEL_POLICY,
          index: sourceIndex(store as never, async () => null),
        }),
      ],
      decide,
      rulesAt,
      log: silentLog,
      wire,
    })
  const built: World = {
    clock,
    folder,
    agent: live(),
    store,
    gateway,
    gatewayStore,
    vault,
    sent,
    line,
    write: (name, resources) =>
      writeFileSync(join(folder, name), resources.map((r) => `${JSON.stringify(r)}\n`).join('')),
    restart: async () => {
      built.agent = live()
      await built.agent.recover()
      return built.agent
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
  await vault.sayCertified(built.agent)
  return built
}

/** The facility's own facts: entity, notice text (no images), filing. */
export async function openScheme(
  { agent, clock }: Pick<World, 'agent' | 'clock'>,
  options: { filed?: boolean } = {},
): Promise<void> {
  const by = 'office'
  await agent.register.recordEntity({
    by,
    entity: {
      entity: entityId('midorikai'),
      name: '医療法人みどり会',
      address: '東京都新宿区1-1',
      representative: '緑 一郎',
    },
  })
  await agent.register.publishNotice({
    by,
    content: noticeNaming(OPERATOR),
    publishedAt: clock.now - 60 * DAY,
    approvedBy: 'officer',
  })
  if (options.filed !== false)
    await agent.register.acceptFiling({
      by,
      filing: {
        filing: filingId('filing-1'),
        track: 'ANON',
        templateVersion: 1,
        acceptedOn: '2026-02-01',
        endedOn: null,
      },
    })
}

/** Three patients whose wait is over. */
export async function ready(): Promise<World> {
  const w = await world()
  const numbers = ['0001', '0002', '0003']
  w.write(
    'Patient.ndjson',
    numbers.map((n) => person(n)),
  )
  w.write(
    'Observation.ndjson',
    numbers.map((n) => result(n, `o${n}`)),
  )
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  for (const number of numbers)
    await w.agent.register.recordNotice({ patient: chart(number), by: 'desk', withToken: true })
  await pass(w, 35 * DAY)
  return w
}

export async function pass(w: World, ms: number): Promise<void> {
  w.clock.now += ms
  await w.vault.sayCertified(w.agent)
  await w.agent.exchange()
}

export const puts = (w: World) => w.sent.filter((r) => r.method === 'PUT')
