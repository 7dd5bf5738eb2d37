import { entityId, facilityId, filingId, noticeId, operatorId, patientKey } from '@kakehashi/protocol/ids'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { ITEM_CLASSES, type GateState } from '@kakehashi/protocol/rules/state'

const DAY = 86_400_000
const SECONDS = 1

/** Decisions a second by the pure function that agent and vault both ask, one core, an open patient. */
export function gateRate(now: number): number {
  const state = openState(now)
  const rules = rulesAt(now)
  let n = 0
  const begun = performance.now()
  while (performance.now() - begun < SECONDS * 1000)
    for (let k = 0; k < 1000; k++, n++) {
      const answer = decide(
        state,
        { track: 'ANON', item: ITEM_CLASSES[n % ITEM_CLASSES.length]! },
        rules,
        now,
      )
      if (!answer.allow) throw new Error(`the bench's patient is closed: ${answer.code}`)
    }
  return n / ((performance.now() - begun) / 1000)
}

function openState(now: number): GateState {
  const facility = facilityId('midori')
  const operator = operatorId('op-1')
  const hash = '0'.repeat(64)
  return {
    latestSeen: now,
    operator: { operator, tracks: ['ANON'], standing: 'certified', asOf: now },
    facility: {
      facility,
      entity: { entity: entityId('e'), name: 'e', address: 'a', representative: 'r' },
      templates: [
        {
          version: 1,
          track: 'ANON',
          hash,
          items: [...ITEM_CLASSES],
          operators: [operator],
          publishedAt: now - 90 * DAY,
          saysOneMonth: false,
        },
      ],
      filings: [
        { filing: filingId('f'), track: 'ANON', templateVersion: 1, acceptedOn: '2024-04-02', endedOn: null },
      ],
      endedOn: null,
      waitDays: 30,
      deathPolicy: 'hold',
      closedDays: [],
    },
    patient: {
      patient: patientKey(facility, '1'),
      birthDate: '1950-06-01',
      deceasedOn: null,
      capacity: 'able',
      capacityReturnedAt: null,
      holds: [],
      stops: [],
      handles: [],
      notices: [
        {
          notice: noticeId('n'),
          track: 'ANON',
          templateVersion: 1,
          templateHash: hash,
          operators: [operator],
          recipient: 'person',
          recipientState: 'able',
          method: 'handed',
          deliveredAt: now - 60 * DAY,
          recordedAt: now - 60 * DAY,
          standing: 'effective',
        },
      ],
    },
  }
}
