import type { FacilityId } from '@kakehashi/protocol/ids'
import type { EnrolmentAnswer, EnrolmentRequest } from '@kakehashi/protocol/messages'
import { isRefusalCode, Refused } from '@kakehashi/protocol/refusals'
import { toBase64 } from '@kakehashi/protocol/signing'
import { z } from 'zod'
import type { AgentKeys } from './keys.ts'
import type { Wire } from './uplink/wire-shape.ts'

const key = z.string().regex(/^[A-Za-z0-9+/]{43}=$/)
const ANSWER = z.object({
  operator: z.string().min(1),
  operatorName: z.string(),
  operatorAddress: z.string(),
  vaultKey: key,
  vaultSigningKey: key,
  gatewayKey: key,
})

/** Shows the one-time code and our public keys to the gateway. Throws `Refused` with the gateway's own reason. */
export async function enrol(
  wire: Wire,
  keys: AgentKeys,
  facility: FacilityId,
  code: string,
): Promise<EnrolmentAnswer> {
  const asked: EnrolmentRequest = {
    code,
    agent: keys.agent,
    facility,
    signingKey: toBase64(keys.signing.public),
    inboxKey: toBase64(keys.inbox.public),
  }
  const answer = await wire.request({
    method: 'POST',
    path: '/v1/enrol',
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode(JSON.stringify(asked)),
  })
  const json: unknown = JSON.parse(new TextDecoder().decode(answer.body))
  if (answer.status >= 400) {
    const code = (json as { code?: unknown } | null)?.code
    throw new Refused(typeof code === 'string' && isRefusalCode(code) ? code : 'REQUEST_MALFORMED')
  }
  return ANSWER.parse(json) as EnrolmentAnswer
}
