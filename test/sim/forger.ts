import type { Answer } from '@kakehashi/hub/call'
import { sealControl } from '@kakehashi/protocol/control'
import { messageId, stopId, type PatientKey } from '@kakehashi/protocol/ids'
import { CONTROL_VERSION, type Control, type ControlEnvelope } from '@kakehashi/protocol/messages'
import { newSigningKey, type SigningKey } from '@kakehashi/protocol/signing'
import type { Genesis } from './genesis.ts'
import type { Host } from './host.ts'
import type { AgentNode, VaultNode } from './nodes.ts'
import type { World } from './world.ts'

/**
 * Somebody who sits in the gateway, knows every number and every public key, and holds no signing key of anybody: says
 * in each direction that a stop was taken back.
 */
export class Forger {
  readonly #world: World
  readonly #host: Host
  readonly #genesis: Genesis
  readonly #vault: VaultNode
  readonly #key: SigningKey
  #up = 0
  #down = 0

  constructor(world: World, host: Host, genesis: Genesis, vault: VaultNode) {
    this.#world = world
    this.#host = host
    this.#genesis = genesis
    this.#vault = vault
    this.#key = newSigningKey(host.env())
  }

  arm(): void {
    this.#up += 1
    this.#down += 1
  }

  /** The vault's page of messages from agents, with one more. */
  toVault(answer: Answer): Answer {
    if (this.#up === 0 || answer.status !== 200) return answer
    const [one] = this.#stops()
    const hospital = this.#genesis.hospitals.find((h) => one?.patient.startsWith(`${h.facility}/`))
    if (!one || !hospital) return answer
    this.#up -= 1
    const { box } = this.#genesis.keys.vault
    return this.#with(
      answer,
      {
        ...this.#head(),
        type: 'stop-withdrawn-reported',
        stop: stopId(one.stop),
        patients: [one.patient],
        withdrawnAt: this.#world.now,
      },
      { agent: hospital.keys.agent, direction: 'up', recipient: { id: box.id, public: box.public } },
    )
  }

  /** An agent's page of messages from the vault, with one more. */
  toAgent(answer: Answer, { hospital }: AgentNode): Answer {
    if (this.#down === 0 || answer.status !== 200) return answer
    const mine = this.#stops().filter((one) => one.patient.startsWith(`${hospital.facility}/`))
    if (mine.length === 0) return answer
    this.#down -= 1
    const { agent, inbox } = hospital.keys
    return this.#with(
      answer,
      {
        ...this.#head(),
        type: 'stop-list',
        asked: messageId(this.#host.env().id()),
        part: 0,
        parts: 1,
        stops: mine.map(({ stop, patient }) => ({
          stop: stopId(stop),
          patients: [patient],
          handles: [],
          tracks: null,
          operators: null,
          requester: 'person',
          standing: 'withdrawn',
          askedAt: 0,
          withdrawnAt: this.#world.now,
          origin: 'counter',
          erasureAsked: false,
        })),
        erased: [],
        erasedKey: '',
        sequence: 0,
        checkpoint: null,
      },
      { agent, direction: 'down', recipient: { id: inbox.id, public: inbox.public } },
    )
  }

  #head(): { version: typeof CONTROL_VERSION; message: Control['message']; at: number } {
    return { version: CONTROL_VERSION, message: messageId(this.#host.env().id()), at: this.#world.now }
  }

  #stops(): { stop: string; patient: PatientKey }[] {
    const { ops } = this.#vault
    if (!ops.mounted()) return []
    return ops.peek(
      `SELECT s.stop, c.patient FROM stop s JOIN stop_chart c ON c.stop = s.stop WHERE s.standing IN ('provisional', 'confirmed') ORDER BY s.stop, c.patient`,
    )
  }

  #with(answer: Answer, body: Control, to: Parameters<typeof sealControl>[1]): Answer {
    const page = JSON.parse(new TextDecoder().decode(answer.body)) as { messages: ControlEnvelope[] }
    page.messages.push(sealControl(body, to, this.#key, this.#host.env()))
    this.#world.fault('forged withdrawal')
    this.#world.saw('forged withdrawal met')
    return { ...answer, body: new TextEncoder().encode(JSON.stringify(page)) }
  }
}
