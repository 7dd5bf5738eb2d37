import { Refused } from '@kakehashi/protocol/refusals'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FacilityState } from '@kakehashi/protocol/rules/state'
import { facilityStateOf } from '../register/read.ts'
import { CSV_BYTES_MAX, csvRows, separatorOf, type CsvRow } from './csv.ts'
import { decodeText } from './encoding.ts'
import {
  deliveredAt,
  entryName,
  judge,
  patientOfNumber,
  sheetOf,
  take,
  takeBack,
  templateThen,
  type HandOver,
  type ImportParts,
  type Run,
} from './hand-over.ts'
import { readLine, type ReadLine } from './line.ts'
import { columnsOf, type Field, type Mapping } from './mapping.ts'
import { LineRefused, type LineReason } from './reasons.ts'
import { entriesOfVisit, keepCancelledVisit, readEntry } from './store.ts'

export interface ImportReport {
  /** `null`: nothing was new, so nothing was written. */
  run: string | null
  digest: string
  lines: number
  recorded: number
  /** Of these, how many a machine printed and nobody has confirmed. */
  pending: number
  confirmed: number
  known: number
  cancelled: number
  /** Dated now, because the day is past and nobody approved it (LAW trap 15). */
  datedNow: number
  refused: { line: number; reason: LineReason }[]
}

export interface ImportAsked {
  bytes: Uint8Array
  mapping: Mapping
  by: string
  /** Second person for days before today. */
  approvedBy?: string
  dryRun?: boolean
  /** Take lines anew whose import was undone. */
  again?: boolean
}

/** A whole file of "notice handed out". Every line is taken, known already, or refused by its number and reason. */
export async function importNotices(parts: ImportParts, asked: ImportAsked): Promise<ImportReport> {
  if (asked.approvedBy !== undefined && asked.approvedBy === asked.by)
    throw new Refused('NOT_ALLOWED', '承認する人は、取り込む人とは別の人です')
  return new CsvImport(parts, asked).all()
}

type Told = { line: ReadLine; handOver: HandOver }

class CsvImport {
  readonly #parts: ImportParts
  readonly #asked: ImportAsked
  readonly #report: ImportReport
  #run: Run | null = null
  #facility: FacilityState | null = null

  constructor(parts: ImportParts, asked: ImportAsked) {
    this.#parts = parts
    this.#asked = asked
    this.#report = {
      run: null,
      digest: sha256Hex(asked.bytes),
      lines: 0,
      recorded: 0,
      pending: 0,
      confirmed: 0,
      known: 0,
      cancelled: 0,
      datedNow: 0,
      refused: [],
    }
  }

  async all(): Promise<ImportReport> {
    const { context } = this.#parts
    const { rows, columns } = this.#read()
    this.#facility = await facilityStateOf(context.store.db, context.facility)
    const own = (this.#facility?.templates ?? []).some((t) => t.track === context.track)
    if (!own) throw new Refused('NOT_FOUND', '通知書の文面がまだ公開されていません')
    for (const row of rows) {
      this.#report.lines += 1
      try {
        await this.#one(row, columns)
      } catch (error) {
        if (!(error instanceof LineRefused)) throw error
        this.#report.refused.push({ line: row.line, reason: error.reason })
      }
    }
    await this.#finish()
    return this.#report
  }

  #read(): { rows: Generator<CsvRow>; columns: Partial<Record<Field, number>> } {
    const { bytes, mapping } = this.#asked
    if (bytes.length > CSV_BYTES_MAX) throw new Refused('REQUEST_MALFORMED', 'ファイルが64MBを超えています')
    const text = decodeText(bytes, mapping.csv.encoding)
    if (text === null)
      throw new Refused('NOT_UTF8', '文字コードは UTF-8 か Shift_JIS（CP932）で書き出してください')
    const rows = csvRows(text.replace(/^\uFEFF/, ''), mapping.csv.separator ?? separatorOf(text))
    const head = rows.next().value
    if (!head || 'fault' in head) throw new Refused('REQUEST_MALFORMED', '見出しの行を読み取れません')
    this.#width = head.cells.length
    return { rows, columns: columnsOf(head.cells, mapping) }
  }

  #width = 0

  async #one(row: CsvRow, columns: Partial<Record<Field, number>>): Promise<void> {
    if ('fault' in row) throw new LineRefused(row.fault)
    if (row.cells.length !== this.#width) throw new LineRefused('CELLS_DIFFER')
    const cell = (field: Field) => row.cells[columns[field] ?? -1] ?? ''
    const told = await this.#told(readLine(cell, this.#asked.mapping))
    if (told.line.state === 'cancelled') return this.#cancel(told)
    const verdict = await judge(this.#parts, told.handOver, this.#asked.again === true)
    this.#count(verdict === 'new' ? 'recorded' : verdict === 'confirm' ? 'confirmed' : 'known')
    if (verdict === 'new' && told.handOver.method === 'kiosk' && told.handOver.confirmedBy === null)
      this.#count('pending')
    if (verdict === 'known') return
    if (this.#asked.dryRun === true) {
      const past = tokyoDate(told.handOver.at) < tokyoDate(this.#parts.context.env.now())
      if (verdict === 'new' && past && this.#asked.approvedBy === undefined) this.#count('datedNow')
      return
    }
    const done = await take(this.#parts, told.handOver, { run: await this.#started(), line: row.line })
    if (!done.datedAsAsked) this.#count('datedNow')
  }

  #count(what: 'recorded' | 'pending' | 'confirmed' | 'known' | 'cancelled' | 'datedNow'): void {
    this.#report[what] += 1
  }

  async #told(line: ReadLine): Promise<Told> {
    const { context } = this.#parts
    const { source } = this.#asked.mapping
    const { patient, deceasedOn } = await patientOfNumber(context, line.number)
    if (deceasedOn !== null && tokyoDate(line.at) > deceasedOn) throw new LineRefused('DIED_BEFORE')
    const entry =
      line.job === null
        ? entryName(['line', patient, line.at, ...line.recipients])
        : entryName(['job', source, line.job])
    const at = deliveredAt(context, line)
    const paper = await sheetOf(context, line.paper, patient)
    const version = line.version ?? paper?.version ?? null
    const template = templateThen(this.#facility?.templates ?? [], context.track, at, version)
    return {
      line,
      handOver: {
        entry,
        patient,
        at,
        recipients: line.recipients,
        relation: line.relation,
        method: line.method,
        by: line.staff ?? source,
        confirmedBy: line.confirmedBy ?? (line.state === 'handed' && line.staff !== null ? line.staff : null),
        visit: line.visit,
        template,
        paper,
      },
    }
  }

  /** A line that says "cancelled" takes back what the same print or visit had recorded (LAW trap 8). */
  async #cancel({ line, handOver }: Told): Promise<void> {
    const { context } = this.#parts
    const { db } = context.store
    const named = await readEntry(db, handOver.entry)
    const ofVisit = line.visit === null ? [] : await entriesOfVisit(db, line.visit)
    const standing = [...(named ? [named] : []), ...ofVisit].filter(
      (one) => one.state === 'recorded' || one.state === 'intended',
    )
    if (standing.length === 0) {
      if (named?.state === 'voided' || named?.state === 'undone') return this.#count('known')
      if (line.visit === null || named) throw new LineRefused('CANCELS_NOTHING')
    }
    this.#count('cancelled')
    if (this.#asked.dryRun === true) return
    await this.#started()
    for (const entry of new Map(standing.map((one) => [one.entry, one])).values())
      await takeBack(this.#parts, entry, handOver.by, {
        reason: 'visit-cancelled',
        state: 'voided',
        sparing: true,
      })
    const { visit } = line
    if (visit !== null) await context.store.bookkeep((tx) => keepCancelledVisit(tx, visit, context.env.now()))
  }

  /** The run exists from the first line that changes something: a file that changes nothing leaves no trace. */
  async #started(): Promise<Run> {
    if (this.#run) return this.#run
    const { context } = this.#parts
    const run = context.env.id()
    this.#run = { run, approvedBy: this.#asked.approvedBy ?? null, again: this.#asked.again === true }
    this.#report.run = run
    await startRun(this.#parts, {
      run,
      kind: 'csv',
      source: this.#asked.mapping.source,
      digest: this.#report.digest,
      by: this.#asked.by,
      approvedBy: this.#asked.approvedBy ?? null,
    })
    return this.#run
  }

  async #finish(): Promise<void> {
    if (!this.#run) return
    const { recorded, confirmed, cancelled, refused } = this.#report
    const detail = { run: this.#run.run, recorded, confirmed, cancelled, refused: refused.length }
    await this.#parts.context.store.transact(
      { act: 'import.finished', actor: this.#asked.by, detail },
      async () => {},
    )
  }
}

export async function startRun(
  { context }: ImportParts,
  about: {
    run: string
    kind: 'csv' | 'adt'
    source: string
    digest: string
    by: string
    approvedBy: string | null
  },
): Promise<void> {
  const { run, kind, source, digest } = about
  await context.store.transact(
    { act: 'import.started', actor: about.by, detail: { run, kind, source, digest } },
    async (tx) => {
      await tx
        .insertInto('import_run')
        .values({
          run,
          kind,
          source,
          digest,
          started_at: context.env.now(),
          started_by: about.by,
          approved_by: about.approvedBy,
          undone_at: null,
          undone_by: null,
        })
        .execute()
    },
  )
}
