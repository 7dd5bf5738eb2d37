import { z } from 'zod'
import { canonical, canonicalBytes } from './canonical.ts'
import { CONTROL_BODY, CONTROL_HEAD, CONTROL_TYPES } from './control-shapes.ts'
import type { Env } from './env.ts'
import type { AgentId, KeyId } from './ids.ts'
import { CONTROL_BYTES_MAX } from './limits.ts'
import { CONTROL_VERSION, type Control, type ControlEnvelope } from './messages.ts'
import { Refused } from './refusals.ts'
import { AGENT, KEY, MESSAGE } from './shapes.ts'
import { fromBase64, open, openSealed, sealTo, sign, toBase64 } from './signing.ts'
import type { BoxKey, Signed, SigningKey, Verified } from './signing.ts'

/** Sealed box (48 bytes) and signature frame around a body, in base64. */
const BOX_TEXT_MAX = Math.ceil(((CONTROL_BYTES_MAX + 512) * 4) / 3)

const ENVELOPE: z.ZodType<ControlEnvelope> = z.strictObject({
  version: z.literal(CONTROL_VERSION),
  message: MESSAGE,
  agent: AGENT,
  direction: z.enum(['up', 'down']),
  sealedTo: KEY,
  box: z
    .string()
    .max(BOX_TEXT_MAX)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/),
})

const signature = { key: KEY, signature: z.string().length(88) }
const SIGNED = z.strictObject({ body: CONTROL_BODY, ...signature })
const SIGNED_HEAD = z.strictObject({ body: CONTROL_HEAD, ...signature })

/**
 * Signs `body`, then seals it. The signature also covers whose conversation it is, the direction and the receiving
 * key, so that nobody can pass a message on to another agent under the sender's name. Throws `Refused`
 * (`ENVELOPE_TOO_LARGE`) when the body is over {@link CONTROL_BYTES_MAX}: split it.
 * Without `env` the box takes its randomness from libsodium.
 */
export function sealControl(
  body: Control,
  to: { agent: AgentId; direction: 'up' | 'down'; recipient: { id: KeyId; public: Uint8Array } },
  signer: SigningKey,
  env?: Env,
): ControlEnvelope {
  const signed = sign(domainOf(to.agent, to.direction, to.recipient.id), body, signer)
  const plain = canonicalBytes(signed)
  if (plain.length > CONTROL_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', body.type)
  return {
    version: CONTROL_VERSION,
    message: body.message,
    agent: to.agent,
    direction: to.direction,
    sealedTo: to.recipient.id,
    box: toBase64(sealTo(to.recipient.public, plain, env)),
  }
}

/** The message, if it is sealed to `box`, signed by `senderPublic` for this conversation, and of a known shape. */
export function openControl(
  envelope: ControlEnvelope,
  box: BoxKey,
  senderPublic: Uint8Array,
): Verified<Control> | null {
  const signed = openSignedControl(envelope, box, senderPublic)
  return signed === null ? null : signed.body
}

/** The same with its signature, which others can check with {@link verifyControl}. */
export function openSignedControl(
  envelope: ControlEnvelope,
  box: BoxKey,
  senderPublic: Uint8Array,
): Signed<Verified<Control>> | null {
  return openAs(SIGNED, envelope, box, senderPublic)
}

/** The type of a message that is as it should be, but that this version does not know; else `null`. */
export function unknownControl(
  envelope: ControlEnvelope,
  box: BoxKey,
  senderPublic: Uint8Array,
): string | null {
  const type = openAs(SIGNED_HEAD, envelope, box, senderPublic)?.body.type
  return type === undefined || CONTROL_TYPES.includes(type) ? null : type
}

function openAs<T extends { message: string }>(
  shape: z.ZodType<Signed<T>>,
  envelope: ControlEnvelope,
  box: BoxKey,
  senderPublic: Uint8Array,
): Signed<Verified<T>> | null {
  const outer = readControlEnvelope(envelope)
  if (outer === null || outer.sealedTo !== box.id) return null
  const plain = openSealed(fromBase64(outer.box), box)
  if (plain === null || plain.length > CONTROL_BYTES_MAX) return null
  const signed = readSigned(shape, plain)
  if (signed === null) return null
  const body = open(domainOf(outer.agent, outer.direction, outer.sealedTo), signed, senderPublic)
  return body !== null && body.message === outer.message ? { ...signed, body } : null
}

/** The body, if the sender signed it for this conversation. Never throws. */
export function verifyControl(
  signed: Signed<Control>,
  to: Pick<ControlEnvelope, 'agent' | 'direction' | 'sealedTo'>,
  senderPublic: Uint8Array,
): Verified<Control> | null {
  return open(domainOf(to.agent, to.direction, to.sealedTo), signed, senderPublic)
}

/** What the gateway may check of an envelope it cannot open: `null` when it is not one. Never throws. */
export function readControlEnvelope(value: unknown): ControlEnvelope | null {
  const read = ENVELOPE.safeParse(value)
  return read.success ? read.data : null
}

function readSigned<T>(shape: z.ZodType<Signed<T>>, plain: Uint8Array): Signed<T> | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(plain)
    const value: unknown = JSON.parse(text)
    const read = shape.safeParse(value)
    return read.success && canonical(value) === text ? read.data : null
  } catch {
    return null
  }
}

function domainOf(agent: AgentId, direction: 'up' | 'down', sealedTo: KeyId): string {
  return `control/${CONTROL_VERSION}/${direction}/${agent}/${sealedTo}`
}
