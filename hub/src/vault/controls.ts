import { openControl, unknownControl } from '@kakehashi/protocol/control'
import { facilityOf, messageId, type PatientKey } from '@kakehashi/protocol/ids'
import type { ControlEnvelope, Heartbeat, UpControl } from '@kakehashi/protocol/messages'
import { fromBase64 } from '@kakehashi/protocol/signing'
import { canonical } from '@kakehashi/protocol/canonical'
import type { AuditEvent } from '@kakehashi/store/audit'
import { chartHash, slices } from '../requests/charts.ts'
import { askErasure } from '../requests/erasure.ts'
import { freeCharts } from '../requests/freed.ts'
import { keepNoticeText } from '../requests/notice-texts.ts'
import { keepSlip } from '../requests/slips.ts'
import { tellRecords } from '../requests/told-records.ts'
import { sayAgain, tellStops } from '../requests/told-stops.ts'
import { enterStop, withdrawStop } from '../requests/stop.ts'
import { answerAgain } from './answers.ts'
import { stopElsewhere } from '../requests/elsewhere.ts'
import { leaveStop } from '../requests/left-stop.ts'
import { openIncident } from './incident.ts'
import type { OpsTables, OpsTx } from './ops.ts'
import type { VaultParts } from './parts.ts'
import { speaksFully } from './speaks.ts'

type AgentRow = OpsTables['agent']

/** Applies one message from an agent: once, in one transaction; what is not from it is an incident. */
export async function applyControl(parts: VaultParts, envelope: ControlEnvelope): Promise<boolean> {
  const { ops } = parts
  const known = await ops.db
    .selectFrom('control_in')
    .select('agent')
    .where('message', '=', envelope.message)
    .executeTakeFirst()
  if (known) {
    if (known.agent === envelope.agent) await answerAgain(parts, envelope.message)
    return false
  }
  const agent = await ops.db
    .selectFrom('agent')
    .selectAll()
    .where('agent', '=', envelope.agent)
    .executeTakeFirst()
  const said = agent ? await openFrom(parts, agent, envelope) : null
  if (said === 'unknown') {
    parts.log('control.unknown')
    return false
  }
  if (!agent || !said || !aboutOwnCharts(agent, said)) {
    await refuseForged(parts, envelope)
    return false
  }
  if (said.type === 'stop-elsewhere-asked') await stopElsewhere(parts, agent, said)
  await ops.transact(eventOf(parts, agent, said), async (tx) => {
    await tx
      .insertInto('control_in')
      .values({
        message: said.message,
        agent: agent.agent,
        type: said.type,
        at: parts.env.now(),
        answered_at: said.type === 'heartbeat' ? parts.env.now() : null,
      })
      .execute()
    await tx
      .updateTable('agent')
      .set({ last_heard_at: parts.env.now() })
      .where('agent', '=', agent.agent)
      .execute()
    await apply(tx, parts, agent, said)
  })
  return true
}

/**
 * A retired key says nothing any more, but a stop: that can only protect. `unknown`: of a type that a newer version has;
 * left unanswered, it is said again until this one is newer, too.
 */
async function openFrom(
  parts: VaultParts,
  agent: AgentRow,
  envelope: ControlEnvelope,
): Promise<UpControl | 'unknown' | null> {
  const keys = await parts.ops.db
    .selectFrom('agent_key')
    .select(['public_key', 'retired_at'])
    .where('agent', '=', agent.agent)
    .execute()
  const boxes = [parts.keys.box, ...parts.keys.formerBoxes]
  const box = boxes.find((one) => one.id === envelope.sealedTo)
  if (!box) return null
  for (const { public_key, retired_at } of keys) {
    const body = openControl(envelope, box, fromBase64(public_key))
    if (body !== null && isUp(body) && (retired_at === null || body.type === 'stop-reported')) return body
    if (
      body === null &&
      retired_at === null &&
      unknownControl(envelope, box, fromBase64(public_key)) !== null
    )
      return 'unknown'
  }
  return null
}

const UP = new Set([
  'facility-declared',
  'stop-reported',
  'stop-withdrawn-reported',
  'notice-voided-reported',
  'erasure-requested',
  'heartbeat',
  'stops-asked',
  'stop-elsewhere-asked',
  'records-asked',
  'charts-freed',
  'notice-text-declared',
  'slip-handed',
])

function isUp(body: { type: string }): body is UpControl {
  return UP.has(body.type)
}

/** An agent speaks for the charts of its own facility and for no other. */
function aboutOwnCharts(agent: AgentRow, said: UpControl): boolean {
  if (said.type === 'facility-declared' || said.type === 'notice-text-declared')
    return said.facility === agent.facility
  if (said.type === 'heartbeat' || said.type === 'stops-asked' || said.type === 'records-asked') return true
  return said.patients.every((patient) => facilityOf(patient) === agent.facility)
}

async function refuseForged(parts: VaultParts, envelope: ControlEnvelope): Promise<void> {
  await parts.ops.transact(
    { act: 'message.refused', actor: 'vault', detail: { message: envelope.message } },
    async (tx) => {
      await tx
        .insertInto('control_in')
        .values({
          message: envelope.message,
          agent: envelope.agent,
          type: 'refused',
          at: parts.env.now(),
          answered_at: parts.env.now(),
        })
        .execute()
      await openIncident(tx, parts.env, {
        severity: 2,
        kind: 'forged-message',
        facility: null,
        batch: null,
        detail: { message: envelope.message },
      })
    },
  )
}

async function apply(tx: OpsTx, parts: VaultParts, agent: AgentRow, said: UpControl): Promise<void> {
  switch (said.type) {
    case 'facility-declared':
      await tx
        .insertInto('facility_declaration')
        .values({
          message: said.message,
          facility: said.facility,
          agent: agent.agent,
          declared_at: said.at,
          received_at: parts.env.now(),
          body: canonical(said),
        })
        .execute()
      return
    case 'stop-reported':
      await enterStop(tx, parts, {
        ...said,
        origin: 'agent',
        agent: agent.agent,
        standing: 'confirmed',
        receipt: null,
      })
      return
    case 'stop-withdrawn-reported':
      if (!(await mayEnd(tx, agent, said.stop))) return leaveStop(tx, agent.facility, said)
      await withdrawStop(tx, parts, { ...said, facility: agent.facility, agent: agent.agent })
      return
    case 'charts-freed':
      return freeCharts(tx, parts, said)
    case 'notice-voided-reported':
      await noticeVoided(tx, parts, agent, said.patients)
      return
    case 'erasure-requested':
      await askErasure(tx, parts, { patients: said.patients, by: agent.agent, stop: said.stop })
      return
    case 'notice-text-declared':
      return keepNoticeText(tx, said)
    case 'slip-handed':
      return keepSlip(tx, agent.facility, said, parts.env.now())
    // entered before, in transactions of its own
    case 'stop-elsewhere-asked':
      return
    case 'stops-asked':
      return tellRestored(tx, parts, agent, said.message)
    case 'records-asked':
      return tellRecords(tx, parts, agent, said)
    case 'heartbeat':
      return hearLife(tx, parts, agent, said)
  }
}

/** The records before the stops, whose end opens the gate: nothing leaves before the last page. */
async function tellRestored(
  tx: OpsTx,
  parts: VaultParts,
  agent: AgentRow,
  asked: UpControl['message'],
): Promise<void> {
  await tx.updateTable('agent').set({ records_owed: asked }).where('agent', '=', agent.agent).execute()
  if (speaksFully(agent.software)) await tellRecords(tx, parts, agent, { asked, after: null })
  await tellStops(tx, parts, agent, asked)
}

async function hearLife(tx: OpsTx, parts: VaultParts, agent: AgentRow, said: Heartbeat): Promise<void> {
  const { software, pendingBatches, checkpoint } = said
  await tx
    .updateTable('agent')
    .set({ software, pending_batches: pendingBatches, checkpoint })
    .where('agent', '=', agent.agent)
    .execute()
  if (speaksFully(agent.software) !== speaksFully(software)) await tellAnew(tx, parts, { ...agent, software })
}

/** In words that its version can read: of another one it may have understood nothing of what was said before. */
async function tellAnew(tx: OpsTx, parts: VaultParts, agent: AgentRow): Promise<void> {
  await sayAgain(tx, parts, agent)
  if (agent.records_owed !== null && speaksFully(agent.software))
    await tellRecords(tx, parts, agent, { asked: messageId(agent.records_owed), after: null })
}

/**
 * A hospital ends its own stops, and of those made at the operator what was said to it alone or on its own paper. What
 * was said to several hospitals is not one hospital's to end for the others: it ends for itself.
 */
async function mayEnd(tx: OpsTx, agent: AgentRow, stop: string): Promise<boolean> {
  const row = await tx
    .selectFrom('stop')
    .select(['origin', 'agent'])
    .where('stop', '=', stop)
    .executeTakeFirst()
  if (!row) return true
  const facilities = tx.selectFrom('agent').select('facility').distinct()
  if (row.origin === 'agent') {
    const by = await facilities.where('agent', '=', row.agent).executeTakeFirst()
    return by?.facility === agent.facility
  }
  // asked at another counter for every hospital, those to come too: the operator ends it (`left-stop.ts`)
  if (row.agent !== null && (await isForEvery(tx, stop))) return false
  const told = await facilities
    .where('agent', 'in', (q) => q.selectFrom('stop_delivery').select('agent').where('stop', '=', stop))
    .execute()
  // told to nobody yet: it was said for hospitals to come
  if (told.length > 0 && told.every(({ facility }) => facility === agent.facility)) return true
  const paper = await tx.selectFrom('stop_handle').select('stop').where('stop', '=', stop).executeTakeFirst()
  const chart = await tx.selectFrom('stop_chart').select('stop').where('stop', '=', stop).executeTakeFirst()
  return paper !== undefined && chart !== undefined
}

async function isForEvery(tx: OpsTx, stop: string): Promise<boolean> {
  const asked = await tx
    .selectFrom('stop_intake')
    .select('facilities')
    .where('stop', '=', stop)
    .executeTakeFirst()
  return asked?.facilities === null
}

/** Evidence that was relied on turned out void: if anything of these charts was admitted, an incident, and no release. */
async function noticeVoided(
  tx: OpsTx,
  parts: VaultParts,
  agent: AgentRow,
  patients: readonly PatientKey[],
): Promise<void> {
  const held: string[] = []
  for (const part of slices(patients)) {
    const rows = await tx
      .selectFrom('content_record')
      .select('owner')
      .distinct()
      .where('owner', 'in', part)
      .execute()
    held.push(...rows.map((row) => row.owner))
  }
  if (held.length === 0) return
  const incident = await openIncident(tx, parts.env, {
    severity: 1,
    kind: 'notice-voided',
    facility: agent.facility,
    batch: null,
    detail: { charts: held.length },
  })
  const since = parts.env.now()
  for (const part of slices(held))
    await tx
      .insertInto('doubted_chart')
      .values(part.map((patient) => ({ incident, patient, since })))
      .execute()
}

function eventOf(parts: VaultParts, agent: AgentRow, said: UpControl): AuditEvent {
  const charts = 'patients' in said ? said.patients : []
  const about = charts[0]
  return {
    act: `received.${said.type}`,
    actor: agent.agent,
    ...(about === undefined ? {} : { about: chartHash(parts.keys.tombstone, about) }),
    detail: { message: said.message, charts: charts.length },
  }
}
