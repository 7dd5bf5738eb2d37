import { parsePatientKey, type PatientKey } from '@kakehashi/protocol/ids'
import type { AskedPerson, StopOrdered } from '@kakehashi/protocol/messages'
import type { AgentContext } from '../context.ts'
import { bearerOf } from '../papers/bearer.ts'
import { kanaKey, numberKey } from '../patients/words.ts'
import { chartsNamed, enterNameStop } from '../register/name-stop.ts'
import { chartsOfPerson, patientStateOf } from '../register/read.ts'
import { openSlip } from '../register/slip.ts'
import { applyStop } from '../register/stop.ts'
import { appendEvent } from '../register/store.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from './store.ts'

async function chartsMeant(tx: AgentTx, context: AgentContext, order: StopOrdered): Promise<PatientKey[]> {
  const named = new Set<PatientKey>(order.patients)
  const bearer = order.handle ? await bearerOf(tx, order.handle) : null
  if (bearer) named.add(bearer)
  if (order.person) for (const chart of await chartSaid(tx, order.person)) named.add(chart)
  const charts = new Set<PatientKey>()
  for (const patient of named) for (const chart of await chartsOfPerson(tx, patient)) charts.add(chart)
  return [...charts].filter((chart) => chart.startsWith(`${context.facility}/`))
}

/** Number and birth date as said, or number and name: that chart is meant. Anything less is matched by staff. */
async function chartSaid(tx: AgentTx, person: AskedPerson): Promise<PatientKey[]> {
  if (person.number === null) return []
  const rows = await tx
    .selectFrom('patient_index')
    .select(['patient', 'birth_date', 'kana_key'])
    .where('number_key', '=', numberKey(person.number))
    .execute()
  const meant = rows.filter((row) =>
    person.birthDate === null ? row.kana_key === kanaKey(person.kana) : row.birth_date === person.birthDate,
  )
  return meant.length === 1 ? meant.map((row) => parsePatientKey(row.patient)) : []
}

/**
 * No number says which chart it is: beside those the vault knew, a chart of that name that was never sent may be the same
 * person's (LAW trap 27), and of several people whom the vault knew by that name only one is meant.
 */
async function othersMayBeMeant(
  tx: AgentTx,
  person: AskedPerson,
  charts: readonly PatientKey[],
): Promise<boolean> {
  if (charts.length === 0) return true
  if ((await chartSaid(tx, person)).length > 0) return false
  const [first] = charts
  const own = first === undefined ? [] : await chartsOfPerson(tx, first)
  if (charts.some((chart) => !own.includes(chart))) return true
  return (await chartsNamed(tx, person)).some((chart) => !charts.includes(chart))
}

/** Everybody of that name is held until staff say who is meant; the document is due where somebody was found. */
async function byName(
  tx: AgentTx,
  context: AgentContext,
  order: StopOrdered,
  person: AskedPerson,
  withSlip: boolean,
): Promise<void> {
  const known = await tx
    .selectFrom('name_stop')
    .select('stop')
    .where('stop', '=', order.stop)
    .executeTakeFirst()
  if (known) return
  const facts = {
    stop: order.stop,
    requester: order.requester,
    erasureAsked: order.erasureAsked,
    askedAt: order.askedAt,
    by: 'operator',
    ...(person.relation === null ? {} : { relation: person.relation }),
  }
  const { name, kana, birthDate, contact } = person
  const patients = await enterNameStop(tx, context, {
    ...facts,
    name,
    kana,
    birthDate,
    ...(contact === null ? {} : { contact }),
  })
  if (withSlip && patients.length > 0)
    await openSlip(tx, context, {
      ...facts,
      patients,
      tracks: order.tracks,
      operators: null,
      origin: 'operator',
    })
}

/** What the operator verified later makes the provisional stop a confirmed one; the document is out already. */
async function confirmKnown(
  tx: AgentTx,
  context: AgentContext,
  order: StopOrdered,
  charts: readonly PatientKey[],
): Promise<void> {
  for (const patient of charts) {
    const { stops } = await patientStateOf(tx, patient)
    if (!stops.some((one) => one.stop === order.stop && one.standing === 'provisional')) continue
    await appendEvent(tx, {
      type: 'stop-confirmed',
      event: context.env.id(),
      recordedAt: context.env.now(),
      by: 'operator',
      stop: order.stop,
      patient,
      identityCheck: 'known',
    })
  }
}

/**
 * A stop made at the operator is in force here from now, and Art. 53 still binds the hospital: the task of handing
 * over the document counts its age from when the person asked (LAW trap 25). Every chart found goes back to the vault.
 */
export async function applyOrderedStop(
  tx: AgentTx,
  context: AgentContext,
  order: StopOrdered,
): Promise<void> {
  const charts = await chartsMeant(tx, context, order)
  if (charts.length > 0) await applyTo(tx, context, order, charts)
  else if (!order.person) context.log('stop.unmatched')
  if (order.person && (await othersMayBeMeant(tx, order.person, charts)))
    await byName(tx, context, order, order.person, charts.length === 0)
}

async function applyTo(
  tx: AgentTx,
  context: AgentContext,
  order: StopOrdered,
  charts: readonly PatientKey[],
): Promise<void> {
  if (order.standing !== 'provisional') await confirmKnown(tx, context, order, charts)
  const fresh: PatientKey[] = []
  for (const chart of charts) {
    const { stops } = await patientStateOf(tx, chart)
    if (!stops.some((s) => s.stop === order.stop)) fresh.push(chart)
  }
  if (fresh.length === 0) return
  const facts = {
    stop: order.stop,
    patients: fresh,
    tracks: order.tracks,
    operators: null,
    requester: order.requester,
    identityCheck: order.person ? 'none' : 'token',
    standing: order.standing ?? 'confirmed',
    relation: order.person?.relation ?? undefined,
    origin: 'operator',
    erasureAsked: order.erasureAsked,
    by: 'operator',
    askedAt: order.askedAt,
    more: {
      receivedAt: order.askedAt,
      ...(order.person ? { requesterName: order.person.requesterName } : {}),
    },
  } as const
  await applyStop(tx, context, facts)
  await openSlip(tx, context, { ...facts, patients: [...charts] })
  await enqueueControl(tx, context, {
    type: 'stop-reported',
    stop: order.stop,
    patients: [...charts],
    handles: order.handle ? [order.handle] : [],
    tracks: order.tracks,
    operators: null,
    requester: order.requester,
    askedAt: order.askedAt,
    // a number and a birth date are no proof of who asked: erased only when staff have confirmed it
    erasureAsked: order.erasureAsked && order.standing !== 'provisional',
  })
}
