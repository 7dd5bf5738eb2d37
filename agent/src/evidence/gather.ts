import { createHash } from 'node:crypto'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { sign, toBase64 } from '@kakehashi/protocol/signing'
import { auditOrigin } from '../audit/checkpoint.ts'
import { aboutPatient, type AgentContext } from '../context.ts'
import { chartsOf, facilityEvents } from '../register/read.ts'
import { rulesHistory } from '../register/rules-change.ts'
import { auditFiles } from './leaves.ts'
import { ndjson, range } from './lines.ts'
import { decisionLines, provisionLines, receiptLines } from './provided.ts'
import { README } from './readme.ts'
import { EVIDENCE_FORMAT, MANIFEST, type EvidenceScope, type Manifest } from './shape.ts'
import type { PackageFile } from './zip.ts'

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
  yield* auditFiles(context, file, patients, asked.scope)
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

/** Stops by name tell of somebody else, except those of the period where everything of a period is asked for. */
async function* facilityLines(context: AgentContext, scope: EvidenceScope): AsyncGenerator<string> {
  const rows = await context.store.db
    .selectFrom('register_event')
    .select(['seq', 'at', 'type', 'body'])
    .where('patient', 'is', null)
    .orderBy('seq')
    .execute()
  const [start, end] = scope.kind === 'period' ? range(scope) : [0, 0]
  for (const { seq, at, type, body } of rows)
    if (!type.startsWith('name-stop') || (at >= start && at < end)) yield `{"seq":${seq},"event":${body}}\n`
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
