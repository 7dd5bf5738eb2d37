import type { Env } from '@kakehashi/protocol/env'
import { sealTo, toBase64 } from '@kakehashi/protocol/signing'
import { z } from 'zod'

/** Longest question, in characters as a person counts them. */
export const QUESTION_MAX = 1000
export const CONTACT_MAX = 200

const asked = { askedAt: z.number().int(), receipt: z.string().max(40) }
const stop = {
  ...asked,
  requester: z.enum(['person', 'guardian', 'family', 'agent']),
  erasureAsked: z.boolean(),
}
const Said = z.discriminatedUnion('version', [
  z.strictObject({
    version: z.literal(1),
    handle: z.string().regex(/^[0-9a-f]{64}$/),
    /** Asked beyond what an hour allows: it holds at once, and reaches the hospitals in its turn. */
    queued: z.boolean().optional(),
    ...stop,
  }),
  z.strictObject({
    version: z.literal(2),
    facility: z.string().max(64),
    number: z.string().min(1).max(20),
    birthDate: z.iso.date(),
    /** Asked beyond what an hour allows: for staff, and not passed on unseen. */
    queued: z.boolean().optional(),
    ...stop,
  }),
  z.strictObject({
    version: z.literal(3),
    text: z
      .string()
      .min(1)
      .max(2 * QUESTION_MAX),
    contact: z.string().max(2 * CONTACT_MAX),
    language: z.string().max(10),
    ...asked,
  }),
])
/** What somebody asked at the portal, sealed there to the vault and readable nowhere else. */
export type PortalRequest = z.infer<typeof Said>
export type PortalStop = Extract<PortalRequest, { version: 1 | 2 }>
export type PortalQuestion = Extract<PortalRequest, { version: 3 }>

const SIZES = [512, 2048, 12_288]

/** Padded to one of few lengths, so that the box's own length tells neither number nor text. */
export function sealPortalRequest(said: PortalRequest, vaultPublic: Uint8Array, env: Env): string {
  const bytes = new TextEncoder().encode(JSON.stringify(said))
  const padded = new Uint8Array(SIZES.find((size) => size >= bytes.length) ?? bytes.length).fill(0x20)
  padded.set(bytes)
  return toBase64(sealTo(vaultPublic, padded, env))
}

/** The opened box, if it holds a request. */
export function readPortalRequest(plain: Uint8Array): PortalRequest | null {
  try {
    const read = Said.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)))
    return read.success ? read.data : null
  } catch {
    return null
  }
}
