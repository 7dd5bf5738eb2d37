import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import type { HeldRecord } from '@kakehashi/protocol/messages'
import { recordKeyOf } from '@kakehashi/protocol/records'
import { isPatient } from './partition.ts'
import type { Reading } from './reading.ts'
import type { ContentTables } from './store.ts'

/** What is held of one facility, and what tombstones took back, in order of arrival after `after`. */
export async function heldRecords(
  db: Reading<ContentTables>,
  facility: FacilityId,
  after: number,
  max: number,
): Promise<{ seq: number; held: HeldRecord | null }[]> {
  const rows = await db
    .selectFrom('content_record')
    .select(['seq', 'owner', 'hash', 'gone', 'key'])
    .where('facility', '=', facility)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(max)
    .execute()
  return rows.map(({ seq, owner, hash, gone, key }) => {
    const patient = owner as PatientKey | FacilityId
    const told = key !== null && isPatient(patient)
    return {
      seq: Number(seq),
      held: told ? { key: recordKeyOf(key), patient, hash: Number(gone) === 1 ? null : hash } : null,
    }
  })
}
