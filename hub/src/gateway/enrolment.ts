import { agentId, facilityId } from '@kakehashi/protocol/ids'
import type { EnrolmentAnswer } from '@kakehashi/protocol/messages'
import { Refused } from '@kakehashi/protocol/refusals'
import { fromBase64, sha256Hex, toBase64 } from '@kakehashi/protocol/signing'
import { z } from 'zod'
import { json, type Answer, type Call } from '../call.ts'
import { parseBody } from './body.ts'
import { orDiskFull } from './disk.ts'
import { ENROLMENTS_OPEN_MAX, ENROLMENT_TRIES_PER_MINUTE_MAX } from './limits.ts'
import type { Asked, GatewayParts } from './parts.ts'

const key = z.string().refine((text) => fromBase64(text).length === 32)
const id = z.string().max(128)
const Enrol = z.strictObject({
  code: z.string().min(8).max(64),
  agent: id,
  facility: id,
  signingKey: key,
  inboxKey: key,
})

/** As people read it out: without hyphens and spaces, in capitals. */
export function enrolmentCodeHash(code: string): string {
  const text = code.normalize('NFKC').toUpperCase().replaceAll(/[\s-]/g, '')
  return sha256Hex('kakehashi/enrolment-code\0', text)
}

export class Enrolments {
  readonly #parts: GatewayParts
  #tries: number[] = []
  constructor(parts: GatewayParts) {
    this.#parts = parts
  }

  /** The one call nobody signs: the code is the proof, good once and for a limited time. */
  async enrol(call: Call): Promise<Answer> {
    this.#countTry()
    const asked = parseBody(Enrol, call.body)
    const agent = agentId(asked.agent)
    const facility = facilityId(asked.facility)
    const hash = enrolmentCodeHash(asked.code)
    await orDiskFull(() =>
      this.#parts.store.transact(
        { act: 'agent.enrolled', actor: agent, detail: { facility } },
        async (tx) => {
          const code = await tx
            .selectFrom('gateway_enrolment')
            .selectAll()
            .where('code_hash', '=', hash)
            .executeTakeFirst()
          if (!code || code.facility !== facility) throw new Refused('CODE_WRONG')
          const known = await tx
            .selectFrom('gateway_agent')
            .selectAll()
            .where('agent', '=', agent)
            .executeTakeFirst()
          if (
            known?.signing_key === asked.signingKey &&
            known.inbox_key === asked.inboxKey &&
            code.agent === agent
          )
            return
          if (code.used_at !== null) throw new Refused('CODE_USED')
          const now = this.#parts.env.now()
          if (now > code.expires_at) throw new Refused('CODE_EXPIRED')
          if (known) throw new Refused('NOT_ALLOWED', 'agent id')
          await tx
            .insertInto('gateway_agent')
            .values({
              agent,
              facility,
              signing_key: asked.signingKey,
              inbox_key: asked.inboxKey,
              enrolled_at: now,
              revoked_at: null,
            })
            .execute()
          await tx
            .updateTable('gateway_enrolment')
            .set({ used_at: now, agent })
            .where('code_hash', '=', hash)
            .execute()
        },
      ),
    )
    return json(this.#answer())
  }

  #answer(): EnrolmentAnswer {
    const { operator, vault, key } = this.#parts
    return {
      operator: operator.operator,
      operatorName: operator.name,
      operatorAddress: operator.address,
      vaultKey: toBase64(vault.box),
      vaultSigningKey: toBase64(vault.signing),
      gatewayKey: toBase64(key.public),
    }
  }

  #countTry(): void {
    const now = this.#parts.env.now()
    this.#tries = this.#tries.filter((at) => at > now - 60_000)
    if (this.#tries.length >= ENROLMENT_TRIES_PER_MINUTE_MAX)
      throw new Refused('NOT_ALLOWED', 'too many tries')
    this.#tries.push(now)
  }

  async offer(asked: Asked): Promise<Answer> {
    const offer = parseBody(
      z.strictObject({
        codeHash: z.string().regex(/^[0-9a-f]{64}$/),
        facility: id,
        expiresAt: z.number().int(),
      }),
      asked.call.body,
    )
    await orDiskFull(() =>
      this.#parts.store.transact(
        { act: 'enrolment.offered', actor: 'vault', detail: { facility: offer.facility } },
        async (tx) => {
          const { open } = await tx
            .selectFrom('gateway_enrolment')
            .select((e) => e.fn.countAll().as('open'))
            .where('used_at', 'is', null)
            .where('expires_at', '>', this.#parts.env.now())
            .executeTakeFirstOrThrow()
          if (Number(open) >= ENROLMENTS_OPEN_MAX) throw new Refused('NOT_ALLOWED', 'too many open codes')
          await tx
            .insertInto('gateway_enrolment')
            .values({
              code_hash: offer.codeHash,
              facility: facilityId(offer.facility),
              expires_at: offer.expiresAt,
              used_at: null,
              agent: null,
            })
            .onConflict((c) => c.column('code_hash').doNothing())
            .execute()
        },
      ),
    )
    return json({ stored: true })
  }

  /** Who enrolled, for the vault to learn keys from: the vault checks them against codes it made itself. */
  async list(): Promise<Answer> {
    const rows = await this.#parts.store.db
      .selectFrom('gateway_agent as a')
      .innerJoin('gateway_enrolment as e', 'e.agent', 'a.agent')
      .select(['a.agent', 'a.facility', 'a.signing_key', 'a.inbox_key', 'a.enrolled_at', 'e.code_hash'])
      .orderBy('a.enrolled_at')
      .orderBy('a.agent')
      .execute()
    return json(
      rows.map((row) => ({
        agent: row.agent,
        facility: row.facility,
        signingKey: row.signing_key,
        inboxKey: row.inbox_key,
        enrolledAt: row.enrolled_at,
        codeHash: row.code_hash,
      })),
    )
  }

  async revoke(asked: Asked): Promise<Answer> {
    const agent = agentId(asked.params[0] ?? '')
    await this.#parts.store.transact(
      { act: 'agent.revoked', actor: 'vault', detail: { agent } },
      async (tx) => {
        await tx
          .updateTable('gateway_agent')
          .set({ revoked_at: this.#parts.env.now() })
          .where('agent', '=', agent)
          .where('revoked_at', 'is', null)
          .execute()
      },
    )
    return json({ revoked: true })
  }
}
