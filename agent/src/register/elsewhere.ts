import type { StopAsked } from '@kakehashi/protocol/events'
import { elsewhereStop, type PatientKey, type StopId } from '@kakehashi/protocol/ids'
import type { AskedPerson, StopElsewhereAsked } from '@kakehashi/protocol/messages'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { othersNamed } from './rules.ts'

type Asked = Pick<StopElsewhereAsked, 'stop' | 'patients' | 'tracks' | 'requester' | 'askedAt'> & {
  hospitals: StopAsked['hospitals']
  /** As the chart has it, or as it was said. */
  known: Pick<AskedPerson, 'name' | 'kana' | 'birthDate'>
  requesterName?: string | undefined
  relation?: string | undefined
  contact?: string | undefined
  erasureAsked: boolean
}

/** Other hospitals know the person by name and birth date alone; the operator tells them. */
export async function askElsewhere(tx: AgentTx, context: AgentContext, asked: Asked): Promise<void> {
  const hospitals = othersNamed(asked.hospitals, context.facility)
  if (hospitals === null) return
  const { stop, patients, tracks, requester, askedAt, erasureAsked } = asked
  const { kana, birthDate } = asked.known
  const name = asked.known.name === '' ? kana : asked.known.name
  await enqueueControl(tx, context, {
    type: 'stop-elsewhere-asked',
    stop,
    patients,
    hospitals,
    person: {
      name,
      kana,
      birthDate,
      number: null,
      requesterName: asked.requesterName ?? (requester === 'person' ? name : ''),
      relation: asked.relation ?? null,
      contact: asked.contact ?? null,
    },
    tracks,
    requester,
    askedAt,
    ...(erasureAsked ? { erasureAsked } : {}),
  })
}

/**
 * What the operator was asked to stop at the other hospitals is taken back, too: it is the operator's to end, and each
 * hospital's.
 */
export async function reportElsewhere(
  tx: AgentTx,
  context: AgentContext,
  { stop, hospitals }: { stop: StopId; hospitals?: StopAsked['hospitals'] | undefined },
  patients: PatientKey[],
  undone: boolean,
): Promise<void> {
  if (othersNamed(hospitals, context.facility) === null) return
  await enqueueControl(tx, context, {
    type: 'stop-withdrawn-reported',
    stop: elsewhereStop(stop),
    patients,
    withdrawnAt: context.env.now(),
    ...(undone ? { undone } : {}),
  })
}
