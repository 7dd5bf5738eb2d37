import { hash } from 'node:crypto'
import { Refused } from '@kakehashi/protocol/refusals'
import { valuesAt } from '../compartment.ts'
import type { FhirClient } from '../client.ts'
import type { Level } from './job.ts'

/**
 * DATA T28: whoever came into a group brings records older than `_since`. A digest of the members tells that the group
 * is another one; `null` where the level knows no group, or the server does not show it.
 */
export async function membersOf(
  client: FhirClient,
  level: Level,
  signal: AbortSignal,
): Promise<string | null> {
  if (!level.startsWith('Group/')) return null
  try {
    const { status, value } = await client.get(level, 'Group', signal)
    if (status !== 200) return null
    const names = valuesAt(value, 'member.entity.reference').map(String).toSorted()
    return hash('sha256', JSON.stringify(names), 'hex')
  } catch (error) {
    if (error instanceof Refused && error.refusal.code !== 'SOURCE_UNREACHABLE') return null
    throw error
  }
}
