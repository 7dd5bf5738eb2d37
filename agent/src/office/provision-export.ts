import { createHash } from 'node:crypto'
import { localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { open, sign, type Signed } from '@kakehashi/protocol/signing'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'

/** Art. 54: what the hospital keeps of each provision, by day in Tokyo, both ends included. */
export interface Period {
  from: LocalDate
  to: LocalDate
}

export interface ProvisionRow {
  batch: string
  provided_at: number
  provided_on: string
  operator: string
  operator_name: string
  operator_address: string
  track: string
  records: number
}

const PATIENTS_PER_READ = 1000
export const PROVISIONS_FORMAT = 'kakehashi/provisions/1'

export async function countProvisions(context: AgentContext, period: Period): Promise<number> {
  const row = await context.store.db
    .selectFrom('provision')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('provided_on', '>=', period.from)
    .where('provided_on', '<=', period.to)
    .executeTakeFirstOrThrow()
  return row.n
}

export async function provisionPage(
  context: AgentContext,
  period: Period,
  page: { offset: number; limit: number },
): Promise<(ProvisionRow & { patients: number })[]> {
  const rows = await context.store.db
    .selectFrom('provision as p')
    .selectAll('p')
    .select((e) =>
      e
        .selectFrom('provision_patient as x')
        .select((f) => f.fn.countAll<number>().as('n'))
        .whereRef('x.batch', '=', 'p.batch')
        .as('patients'),
    )
    .where('provided_on', '>=', period.from)
    .where('provided_on', '<=', period.to)
    .orderBy('provided_at')
    .orderBy('batch')
    .offset(page.offset)
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({ ...row, patients: row.patients ?? 0 }))
}

/** Batch by batch, each with its people a thousand at a time: a year of a large hospital never lies in memory. */
export async function* provisions(
  context: AgentContext,
  period: Period,
): AsyncGenerator<{ provision: ProvisionRow; people: { patient: PatientKey; items: string[] }[] }> {
  for (let offset = 0; ;) {
    const batches = await provisionPage(context, period, { offset, limit: 100 })
    for (const { patients: _count, ...provision } of batches)
      for (let after = ''; ;) {
        const rows = await peopleOf(context, provision.batch, after, PATIENTS_PER_READ)
        if (rows.length > 0 || after === '') yield { provision, people: rows }
        if (rows.length < PATIENTS_PER_READ) break
        after = rows.at(-1)?.patient ?? after
      }
    if (batches.length < 100) return
    offset += batches.length
  }
}

export async function peopleOf(
  context: AgentContext,
  batch: string,
  after: string,
  limit: number,
): Promise<{ patient: PatientKey; items: string[] }[]> {
  const rows = await context.store.db
    .selectFrom('provision_patient')
    .select(['patient', 'items'])
    .where('batch', '=', batch)
    .where('patient', '>', after)
    .orderBy('patient')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ patient: row.patient as PatientKey, items: JSON.parse(row.items) as string[] }))
}

/** A cell that a spreadsheet would take for a formula is made a text; quotes are doubled. */
export function csvCell(value: string | number): string {
  const text = String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const COLUMNS = ['提供年月日', '認定事業者', '住所', '区分', '封筒番号', '患者番号', '項目'] as const
const TRACK_WORDS: Readonly<Record<string, string>> = { ANON: '匿名加工', PSEUDO: '仮名加工' }

/** One line a person and provision, with a byte order mark for spreadsheets. */
export async function* provisionsCsv(
  context: AgentContext,
  period: Period,
  itemWords: (item: string) => string,
): AsyncGenerator<string> {
  yield `\uFEFF${COLUMNS.join(',')}\r\n`
  for await (const { provision: p, people } of provisions(context, period)) {
    const lines = people.map(({ patient, items }) =>
      [
        p.provided_on,
        p.operator_name,
        p.operator_address,
        TRACK_WORDS[p.track] ?? p.track,
        p.batch,
        localNumberOf(patient),
        items.map(itemWords).join('・'),
      ]
        .map(csvCell)
        .join(','),
    )
    if (lines.length > 0) yield `${lines.join('\r\n')}\r\n`
  }
}

export interface ProvisionsClosing {
  format: typeof PROVISIONS_FORMAT
  facility: string
  agent: string
  from: LocalDate
  to: LocalDate
  madeAt: number
  lines: number
  /** SHA-256 of every byte before this line, hex. */
  digest: string
}

/** JSON lines; the last one closes the file: count, digest, and the agent's signature over both. */
export async function* provisionsJson(context: AgentContext, period: Period): AsyncGenerator<string> {
  const hash = createHash('sha256')
  let lines = 0
  for await (const { provision, people } of provisions(context, period)) {
    const line = `${JSON.stringify({ ...provision, people })}\n`
    hash.update(line)
    lines += 1
    yield line
  }
  const closing: ProvisionsClosing = {
    format: PROVISIONS_FORMAT,
    facility: context.facility,
    agent: context.keys.agent,
    from: period.from,
    to: period.to,
    madeAt: context.env.now(),
    lines,
    digest: hash.digest('hex'),
  }
  yield `${JSON.stringify(sign('provisions', closing, context.keys.signing))}\n`
}

/** Whether a file of records of provision is as the agent signed it. Needs the file and the agent's public key only. */
export function verifyProvisions(text: string, publicKey: Uint8Array): ProvisionsClosing | null {
  const whole = text.endsWith('\n') ? text.slice(0, -1) : text
  const cut = whole.lastIndexOf('\n') + 1
  const before = whole.slice(0, cut)
  try {
    const closing = open('provisions', JSON.parse(whole.slice(cut)) as Signed<ProvisionsClosing>, publicKey)
    if (closing?.format !== PROVISIONS_FORMAT) return null
    const lines = before === '' ? 0 : before.split('\n').length - 1
    const digest = createHash('sha256').update(before).digest('hex')
    return closing.lines === lines && closing.digest === digest ? closing : null
  } catch {
    return null
  }
}
