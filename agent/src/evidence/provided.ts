import type { PatientKey } from '@kakehashi/protocol/ids'
import { ITEM_CLASSES, type Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { chartsOf, eventsOf, facilityEvents, operatorStateOf } from '../register/read.ts'
import { answersAt } from './decisions.ts'
import { ndjson } from './lines.ts'
import type { DecisionLine, EvidenceScope, ReceiptLine } from './shape.ts'
import { receiptOf, type KeptReceipt } from './store.ts'

async function* batchesOf(
  context: AgentContext,
  patients: readonly PatientKey[],
  scope: EvidenceScope,
): AsyncGenerator<{ batch: string; patient: PatientKey; items: string }[]> {
  for (let at = 0; at < patients.length; at += 500) {
    let query = context.store.db
      .selectFrom('provision_patient as x')
      .innerJoin('provision as p', 'p.batch', 'x.batch')
      .select(['x.batch', 'x.patient', 'x.items'])
      .where('x.patient', 'in', patients.slice(at, at + 500))
    if (scope.kind === 'period')
      query = query.where('p.provided_on', '>=', scope.from).where('p.provided_on', '<=', scope.to)
    const rows = await query.orderBy('p.provided_at').orderBy('x.patient').execute()
    yield rows.map((row) => ({ ...row, patient: row.patient as PatientKey }))
  }
}

/** Records of provision (Art. 54), one line a person and provision. */
export async function* provisionLines(
  context: AgentContext,
  patients: readonly PatientKey[],
  scope: EvidenceScope,
): AsyncGenerator<string> {
  const { db } = context.store
  for await (const rows of batchesOf(context, patients, scope)) {
    const known = new Map<string, unknown>()
    for (const { batch, patient, items } of rows) {
      if (!known.has(batch))
        known.set(
          batch,
          await db.selectFrom('provision').selectAll().where('batch', '=', batch).executeTakeFirst(),
        )
      yield* ndjson([{ ...(known.get(batch) as object), patient, items: JSON.parse(items) as unknown }])
    }
  }
}

/** What the vault's receipt said of each batch, and what it refused of these people. */
export async function* receiptLines(
  context: AgentContext,
  patients: readonly PatientKey[],
  scope: EvidenceScope,
): AsyncGenerator<string> {
  const { db } = context.store
  const seen = new Set<string>()
  for await (const rows of batchesOf(context, patients, scope))
    for (const { batch } of rows) {
      if (seen.has(batch)) continue
      seen.add(batch)
      const row = await db
        .selectFrom('outbox_batch')
        .selectAll()
        .where('batch', '=', batch)
        .executeTakeFirst()
      if (!row) continue
      const kept = await receiptOf(db, batch)
      yield* ndjson([
        { ...row, receipt: kept && tellsOnlyOf(kept, patients) ? kept : null } satisfies ReceiptLine,
      ])
    }
  for (let at = 0; at < patients.length; at += 500)
    yield* ndjson(
      await db
        .selectFrom('refused_record')
        .selectAll()
        .where('patient', 'in', patients.slice(at, at + 500))
        .orderBy('at')
        .execute(),
    )
}

/** A receipt is signed whole: one that names others cannot be shown to who asks about one person. */
function tellsOnlyOf({ signed }: KeptReceipt, patients: readonly PatientKey[]): boolean {
  const { body } = signed
  if (body.type !== 'receipt') return false
  return body.refusals.every((one) => one.patient === null || patients.includes(one.patient as PatientKey))
}

/** What the gate says now of each, and what it said when each provision was built. */
export async function* decisionLines(
  context: AgentContext,
  patients: readonly PatientKey[],
  scope: EvidenceScope,
): AsyncGenerator<string> {
  const { db } = context.store
  const now = context.env.now()
  const facility = await facilityEvents(db)
  const operator = await operatorStateOf(db, context.hub.operator)
  const line = async (asked: Omit<DecisionLine, 'answers'>, items: DecisionLine['answers'][0]['item'][]) => {
    const answers = answersAt(asked, items, {
      facility: context.facility,
      facilityEvents: facility,
      patientEvents: await eventsOf(db, await chartsOf(db, asked.patient)),
      rules: context.rulesAt(asked.at),
      decide: context.decide,
    })
    return answers === null ? '' : `${JSON.stringify({ ...asked, answers } satisfies DecisionLine)}\n`
  }
  for (const patient of patients)
    yield await line({ patient, at: now, why: 'now', batch: null, track: context.track, operator }, [
      ...ITEM_CLASSES,
    ])
  for await (const rows of batchesOf(context, patients, scope))
    for (const { batch, patient, items } of rows) {
      const built = await db
        .selectFrom('outbox_batch')
        .selectAll()
        .where('batch', '=', batch)
        .executeTakeFirst()
      if (!built) continue
      const track = built.track as Track
      const then = {
        operator: built.operator as typeof operator.operator,
        tracks: [track],
        standing: 'certified' as const,
      }
      yield await line(
        {
          patient,
          at: built.created_at,
          why: 'provision',
          batch,
          track,
          operator: { ...then, asOf: built.created_at },
        },
        JSON.parse(items) as DecisionLine['answers'][0]['item'][],
      )
    }
}
