import { elsewhereStop } from '@kakehashi/protocol/ids'
import type { StopElsewhereAsked } from '@kakehashi/protocol/messages'
import type { VaultParts } from '../vault/parts.ts'

/**
 * A hospital's counter was asked to stop other hospitals too: a stop by name at the operator, provisional until staff
 * have verified who asked, and told to every hospital meant but the asking one, which has its own.
 */
export async function stopElsewhere(
  parts: VaultParts,
  { agent, facility }: { agent: string; facility: string },
  said: StopElsewhereAsked,
): Promise<void> {
  const facilities = said.hospitals === 'all' ? null : said.hospitals.filter((one) => one !== facility)
  if (facilities?.length === 0) return
  await parts.rooms.stopNamed(parts, {
    person: said.person,
    requester: said.requester,
    channel: 'desk',
    facilities,
    tracks: said.tracks,
    identityCheck: 'none',
    erasureWanted: said.erasureAsked === true,
    askedAt: said.askedAt,
    stop: elsewhereStop(said.stop),
    asking: { agent, facility },
    by: agent,
  })
}
