import { createHash } from 'node:crypto'
import { checkpointOf } from '@kakehashi/store/audit-log'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { addDays, startOfDay } from '@kakehashi/protocol/rules/calendar'
import { ITEM_CLASSES, type Track } from '@kakehashi/protocol/rules/state'
import { sign, toBase64 } from '@kakehashi/protocol/signing'
import { auditOrigin } from '../audit/checkpoint.ts'
import { aboutPatient, type AgentContext } from '../context.ts'
import { chartsOf, eventsOf, facilityEvents, operatorStateOf } from '../register/read.ts'
import { rulesHistory } from '../register/rules-change.ts'
import { answersAt } from './decisions.ts'
import {
  EVIDENCE_FORMAT,
  MANIFEST,
  type DecisionLine,
  type EvidenceScope,
  type Manifest,
  type ReceiptLine,
} from './shape.ts'
import { receiptOf, type KeptReceipt } from './store.ts'
import { Tree } from './tree.ts'
import type { PackageFile } from './zip.ts'

const PAGE = 2000

/**
 * Everything an inspection asks for about a person or a period (R52), file by file, the signed manifest last. What is
 * about whom is chosen first, so that every file speaks of the same people.
 */
export async function* evidenceFiles(
  context: AgentContext,
  asked: { scope: EvidenceScope; by: string; kept?: (hash: string) => string | null },
): AsyncGenerator<PackageFile> {
  const patients = await subjectsOf(context, asked.scope)
  await context.store.transact(
    {
      act: 'evidence.made',
      actor: asked.by,
      detail: { scope: asked.scope.kind, patients: patients.length },
      ...(asked.scope.kind === 'person' ? { about: aboutPatient(context, asked.scope.patient) } : {}),
    },
    async () => {},
  )
  const files: Manifest['files'] = []
  const file = (path: string, lines: AsyncIterable<string> | Iterable<string>): PackageFile => ({
    path,
    content: digested(path, lines, files),
  })
  yield file('README.txt', [README])
  yield file(
    'subjects.ndjson',
    ndjson(patients.map((patient) => ({ patient, about: aboutPatient(context, patient) }))),
  )
  yield file('register/facility.ndjson', facilityLines(context, asked.scope))
  yield file('register/patients.ndjson', patientLines(context, patients))
  yield* texts(context, file, asked.kept ?? (() => null))
  yield file('rules.ndjson', ndjson(await rulesHistory(context.store.db)))
  yield file(
    'papers.ndjson',
    rowsOf(patients, (some) => papersOf(context, some)),
  )
  yield file(
    'documents.ndjson',
    rowsOf(patients, (some) => documentsOf(context, some)),
  )
  yield file('provisions.ndjson', provisionLines(context, patients, asked.scope))
  yield file('receipts.ndjson', receiptLines(context, patients, asked.scope))
  yield file('decisions.ndjson', decisionLines(context, patients, asked.scope))
  yield* audit(context, file, patients, asked.scope)
  const manifest: Manifest = {
    format: EVIDENCE_FORMAT,
    facility: context.facility,
    agent: context.keys.agent,
    publicKey: toBase64(context.keys.signing.public),
    auditOrigin: auditOrigin(context),
    vaultKey: context.hub.vaultSigningKey,
    madeAt: context.env.now(),
    madeBy: asked.by,
    scope: asked.scope,
    files,
  }
  const signed = `${JSON.stringify(sign('evidence', manifest, context.keys.signing), null, 1)}\n`
  yield { path: MANIFEST, content: bytesOf([signed]) }
}

async function* bytesOf(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(line, 'utf8')
}

async function* digested(
  path: string,
  lines: AsyncIterable<string> | Iterable<string>,
  files: Manifest['files'],
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of bytesOf(lines)) {
    hash.update(chunk)
    bytes += chunk.length
    yield chunk
  }
  files.push({ path, bytes, sha256: hash.digest('hex') })
}

function* ndjson(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`
}

const range = ({ from, to }: { from: string; to: string }) =>
  [startOfDay(from), startOfDay(addDays(to, 1))] as const

/** A person's every chart; of a period, whoever anything was recorded about or provided of, with their charts. */
async function subjectsOf(context: AgentContext, scope: EvidenceScope): Promise<PatientKey[]> {
  const { db } = context.store
  if (scope.kind === 'person') return (await chartsOf(db, scope.patient)).toSorted()
  const [start, end] = range(scope)
  const recorded = await db
    .selectFrom('register_event')
    .select('patient')
    .distinct()
    .where('at', '>=', start)
    .where('at', '<', end)
    .where('type', '!=', 'patient-seen')
    .where('patient', 'is not', null)
    .execute()
  const provided = await db
    .selectFrom('provision_patient as x')
    .innerJoin('provision as p', 'p.batch', 'x.batch')
    .select('x.patient')
    .distinct()
    .where('p.provided_on', '>=', scope.from)
    .where('p.provided_on', '<=', scope.to)
    .execute()
  const found = new Set<PatientKey>()
  for (const { patient } of [...recorded, ...provided])
    for (const chart of await chartsOf(db, patient as PatientKey)) found.add(chart)
  return [...found].toSorted()
}

/** Stops by name only tell of somebody else, except where everything of a period is asked for. */
async function* facilityLines(context: AgentContext, scope: EvidenceScope): AsyncGenerator<string> {
  const rows = await context.store.db
    .selectFrom('register_event')
    .select(['seq', 'type', 'body'])
    .where('patient', 'is', null)
    .orderBy('seq')
    .execute()
  for (const { seq, type, body } of rows)
    if (scope.kind === 'period' || !type.startsWith('name-stop')) yield `{"seq":${seq},"event":${body}}\n`
}

async function* patientLines(context: AgentContext, patients: readonly PatientKey[]): AsyncGenerator<string> {
  for (const patient of patients) {
    const rows = await context.store.db
      .selectFrom('register_event')
      .select(['seq', 'body'])
      .where('patient', '=', patient)
      .orderBy('seq')
      .execute()
    for (const { seq, body } of rows) yield `{"seq":${seq},"event":${body}}\n`
  }
}

type Filing = (path: string, lines: AsyncIterable<string> | Iterable<string>) => PackageFile

/** The exact text of every notice, in a file named by its hash. */
async function* texts(
  context: AgentContext,
  file: Filing,
  kept: (hash: string) => string | null,
): AsyncGenerator<PackageFile> {
  const written = new Set<string>()
  for (const event of await facilityEvents(context.store.db)) {
    const [hash, text] =
      event.type === 'template-published'
        ? [event.template.hash, event.text ?? kept(event.template.hash)]
        : event.type === 'template-translated'
          ? [event.hash, event.text]
          : ['', null]
    if (text === null || written.has(hash)) continue
    written.add(hash)
    yield file(`notices/${hash}.txt`, [text])
  }
}

async function* rowsOf(
  patients: readonly PatientKey[],
  read: (some: PatientKey[]) => Promise<unknown[]>,
): AsyncGenerator<string> {
  for (let at = 0; at < patients.length; at += 500) yield* ndjson(await read(patients.slice(at, at + 500)))
}

function papersOf({ store }: AgentContext, patients: PatientKey[]): Promise<unknown[]> {
  return store.db
    .selectFrom('printed_paper')
    .selectAll()
    .where('patient', 'in', patients)
    .orderBy('printed_at')
    .execute()
}

/** Copies of the documents of Art. 53, as kept. */
async function documentsOf({ store }: AgentContext, patients: PatientKey[]): Promise<unknown[]> {
  const rows = await store.db
    .selectFrom('slip')
    .selectAll()
    .where('stop', 'in', (e) =>
      e
        .selectFrom('register_event')
        .select('subject')
        .where('type', '=', 'stop-asked')
        .where('patient', 'in', patients)
        .$castTo<{ subject: string }>(),
    )
    .orderBy('opened_at')
    .execute()
  return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as unknown }))
}

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
async function* provisionLines(
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
async function* receiptLines(
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
async function* decisionLines(
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

/** The leaves about these people or this time, each with its way to the root that the agent signed. */
async function* audit(
  context: AgentContext,
  file: Filing,
  patients: readonly PatientKey[],
  scope: EvidenceScope,
): AsyncGenerator<PackageFile> {
  const { store, keys } = context
  const origin = auditOrigin(context)
  const note = await checkpointOf(store, origin, keys.signing)
  const size = verifyCheckpoint(note, origin, keys.signing.public)?.size ?? 0
  const abouts = new Set(patients.map((patient) => aboutPatient(context, patient)))
  const [start, end] = scope.kind === 'period' ? range(scope) : [Infinity, -Infinity]
  const hashes: Uint8Array[] = []
  const chosen: { seq: number; leaf: string }[] = []
  for (let from = 0; from < size; from += PAGE) {
    const rows = await store.db
      .selectFrom('audit_leaf')
      .selectAll()
      .where('seq', '>=', from)
      .where('seq', '<', Math.min(from + PAGE, size))
      .orderBy('seq')
      .execute()
    for (const row of rows) {
      hashes.push(row.hash)
      const within = row.at >= start && row.at < end
      if (within || concerns(row.leaf, abouts)) chosen.push({ seq: row.seq, leaf: toBase64(row.leaf) })
    }
  }
  const tree = new Tree(hashes)
  yield file('audit/checkpoint', [note])
  yield file(
    'audit/leaves.ndjson',
    ndjson(chosen.map((one) => ({ ...one, proof: tree.proof(one.seq).map((hash) => toBase64(hash)) }))),
  )
}

function concerns(leaf: Uint8Array, abouts: ReadonlySet<string>): boolean {
  const { about } = JSON.parse(Buffer.from(leaf).toString('utf8')) as { about?: string }
  return about !== undefined && abouts.has(about)
}

const README = `架け橋 証拠の書類

manifest.json      全ファイルの要約値と、エージェントの署名
subjects.ndjson    対象の患者番号と、監査記録での呼び名
register/          登録簿の記録（facility: 法人・通知書・届出、patients: 通知・停止など）
notices/           通知書の文面。ファイル名は文面の SHA-256
rules.ndjson       判断に使った規則の版
papers.ndjson      まえもって印刷した用紙
documents.ndjson   第53条の書面の控え
provisions.ndjson  第54条の提供の記録
receipts.ndjson    受領証の内容、受領されなかった記録
decisions.ndjson   規則による判断（今、および提供のとき）
audit/             監査記録の木の根（署名つき）と、各記録がその木にある証明

確かめ方: agent evidence verify フォルダー --key 公開鍵
`
