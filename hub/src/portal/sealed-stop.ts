import type { Env } from '@kakehashi/protocol/env'
import { sealTo, toBase64 } from '@kakehashi/protocol/signing'
import { z } from 'zod'

const common = {
  askedAt: z.number().int(),
  receipt: z.string().max(40),
  requester: z.enum(['person', 'guardian', 'family', 'agent']),
  erasureAsked: z.boolean(),
}
const Said = z.discriminatedUnion('version', [
  z.strictObject({ version: z.literal(1), handle: z.string().regex(/^[0-9a-f]{64}$/), ...common }),
  z.strictObject({
    version: z.literal(2),
    facility: z.string().max(64),
    number: z.string().min(1).max(20),
    birthDate: z.iso.date(),
    ...common,
  }),
])
/** What a patient asked at the portal, sealed there to the vault and readable nowhere else. */
export type PortalStop = z.infer<typeof Said>

export function sealPortalStop(said: PortalStop, vaultPublic: Uint8Array, env: Env): string {
  return toBase64(sealTo(vaultPublic, new TextEncoder().encode(JSON.stringify(said)), env))
}

/** The opened box, if it holds a stop. */
export function readPortalStop(plain: Uint8Array): PortalStop | null {
  try {
    const read = Said.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)))
    return read.success ? read.data : null
  } catch {
    return null
  }
}
