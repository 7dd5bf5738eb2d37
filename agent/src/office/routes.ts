import { localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { addDays, isLocalDate, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { ItemClass } from '@kakehashi/protocol/rules/state'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Context, Hono } from 'hono'
import { aboutPatient } from '../context.ts'
import type { CounterEnv, CounterParts } from '../counter/parts.ts'
import type { CounterViews } from '../counter/views.ts'
import { evidenceFiles } from '../evidence/gather.ts'
import { zipped } from '../evidence/zip.ts'
import type { DryRun } from '../gate/dry-run.ts'
import { patientOfNumber } from '../imports/hand-over.ts'
import { LineRefused } from '../imports/reasons.ts'
import { recentRuns } from '../imports/store.ts'
import { undoImport } from '../imports/undo.ts'
import { SHEETS_MAX } from '../papers/flow.ts'
import { countBackdates } from '../register/notice.ts'
import { officeTasks } from '../register/office.ts'
import { turningSixteen } from '../register/work-list.ts'
import { download } from './download.ts'
import { isList, LISTS, type ListName } from './lists.ts'
import { homePage } from './pages/home.ts'
import { listPage } from './pages/list.ts'
import { provisionPage, provisionsPage } from './pages/provisions.ts'
import { dryRunPage, evidencePage, importsPage } from './pages/reports.ts'
import {
  countProvisions,
  csvCell,
  peopleOf,
  provisionPage as pageOfProvisions,
  provisionsCsv,
  provisionsJson,
  type Period,
} from './provision-export.ts'
import { pageAsked, ROWS } from './paging.ts'
import { keepReport, lastReport } from './store.ts'
import { lineNow, surveyCommons, Surveyor, type Survey } from './survey.ts'
import { ITEM_WORDS, O } from './words.ja.ts'

const RUNS_SHOWN = 50

type OfficeContext = Context<CounterEnv>

/** The privacy officer's and the IT department's pages. */
export class OfficeRoutes {
  readonly #parts: CounterParts
  readonly #views: CounterViews
  readonly #surveyor: Surveyor
  #dryRun: Promise<void> | null = null

  constructor(parts: CounterParts, views: CounterViews) {
    this.#parts = parts
    this.#views = views
    this.#surveyor = new Surveyor(parts.context)
  }

  mount(app: Hono<CounterEnv>): void {
    app.get('/office', (c) => this.#home(c))
    app.post('/office/count', (c) => this.#count(c))
    app.get('/office/list/:list', (c) => this.#list(c))
    app.post('/office/list/:list/export', (c) => this.#exportList(c))
    app.post('/office/open', (c) => this.#open(c))
    app.get('/office/provisions', (c) => this.#provisions(c))
    app.get('/office/provisions/:batch', (c) => this.#provision(c))
    app.post('/office/provisions/export', (c) => this.#exportProvisions(c))
    app.get('/office/dry-run', (c) => this.#dryRunPage(c))
    app.post('/office/dry-run', (c) => this.#startDryRun(c))
    app.get('/office/imports', (c) => this.#imports(c))
    app.post('/office/imports/:run/undo', (c) => this.#undoImport(c))
    app.get('/office/evidence', (c) => this.#evidenceForm(c, []))
    app.post('/office/evidence', (c) => this.#evidence(c))
  }

  async #home(c: OfficeContext): Promise<Response> {
    const session = c.get('session')
    const { context } = this.#parts
    const survey = await this.#surveyor.current()
    if (!survey) c.header('refresh', '3; url=/office')
    const { closed } = await surveyCommons(context)
    return c.html(
      homePage(await this.#views.desk(session), {
        it: session.staff.role === 'it',
        closed,
        tasks: await officeTasks(context),
        survey: survey ? countsOf(survey) : null,
        soon16: (await turningSixteen(context)).length,
        backdates: await countBackdates(context.store.db),
      }),
    )
  }

  async #count(c: OfficeContext): Promise<Response> {
    this.#surveyor.begin()
    return c.redirect('/office', 303)
  }

  #listOf(c: OfficeContext): ListName {
    const list = c.req.param('list') ?? ''
    if (!isList(list)) throw new Refused('NOT_FOUND', 'list')
    return list
  }

  /** Who is on it comes from the survey; how each stands is asked anew for every row that is shown. */
  async #list(c: OfficeContext): Promise<Response> {
    const session = c.get('session')
    const { context, people } = this.#parts
    const list = this.#listOf(c)
    const survey = await this.#surveyor.current()
    if (!survey) return c.redirect('/office', 303)
    const all = survey.lists.get(list) ?? []
    const pages = Math.max(1, Math.ceil(all.length / ROWS))
    const page = pageAsked(c, pages)
    const commons = await surveyCommons(context)
    const rows = []
    for (const patient of all.slice((page - 1) * ROWS, page * ROWS)) {
      const person = await people.read(patient)
      if (!person) continue
      const line = await lineNow(context, commons, patient)
      rows.push({ person: this.#views.person(session, person), line, noLetter: line.noLetter })
    }
    const letters = list.startsWith('owed-') ? all.slice(0, SHEETS_MAX).map(localNumberOf) : []
    return c.html(listPage(await this.#views.desk(session), { list, rows, page, pages, letters }))
  }

  async #leaf(c: OfficeContext, act: string, detail: Record<string, string | number>): Promise<void> {
    const actor = c.get('session').staff.id
    await this.#parts.context.store.transact({ act, actor, detail }, async () => {})
  }

  async #exportList(c: OfficeContext): Promise<Response> {
    const { context } = this.#parts
    const list = this.#listOf(c)
    const people = (await this.#surveyor.current())?.lists.get(list) ?? []
    await this.#leaf(c, 'office.list-exported', { list, people: people.length })
    const commons = await surveyCommons(context)
    async function* lines(): AsyncGenerator<string> {
      yield `\uFEFF${O.listHeader}\r\n`
      for (const patient of people) {
        const line = await lineNow(context, commons, patient)
        if (!line.lists.includes(list)) continue
        yield `${[localNumberOf(patient), line.code ?? 'OPEN', line.earliest ?? ''].map(csvCell).join(',')}\r\n`
      }
    }
    return download(c, { name: `${list}.csv`, type: 'text/csv; charset=utf-8' }, lines())
  }

  async #open(c: OfficeContext): Promise<Response> {
    const handle = String((await c.req.parseBody())['handle'] ?? '')
    if (!c.get('session').handles.has(handle)) throw new Refused('NOT_FOUND', 'patient')
    return c.redirect(`/patient/${handle}`, 303)
  }

  /** Asked of the address or a form; without one the last year. */
  #period(from: unknown, to: unknown): { period: Period; errors: FieldError[] } {
    const today = tokyoDate(this.#parts.context.env.now())
    const usual = { from: addDays(today, -365), to: today }
    const errors: FieldError[] = []
    if (from !== undefined && !isLocalDate(from)) errors.push({ field: 'from', text: O.dateWrong })
    if (to !== undefined && !isLocalDate(to)) errors.push({ field: 'to', text: O.dateWrong })
    const period = { from: isLocalDate(from) ? from : usual.from, to: isLocalDate(to) ? to : usual.to }
    return { period, errors }
  }

  async #provisions(c: OfficeContext): Promise<Response> {
    const { context } = this.#parts
    const { period, errors } = this.#period(c.req.query('from'), c.req.query('to'))
    const pages = Math.max(1, Math.ceil((await countProvisions(context, period)) / ROWS))
    const page = pageAsked(c, pages)
    const rows = await pageOfProvisions(context, period, { offset: (page - 1) * ROWS, limit: ROWS })
    const around = await this.#views.desk(c.get('session'))
    return c.html(
      provisionsPage(around, { period, rows, page, pages, errors }),
      errors.length > 0 ? 422 : 200,
    )
  }

  async #provision(c: OfficeContext): Promise<Response> {
    const { context, people } = this.#parts
    const batch = c.req.param('batch') ?? ''
    const row = await context.store.db
      .selectFrom('provision')
      .selectAll()
      .where('batch', '=', batch)
      .executeTakeFirst()
    if (!row) throw new Refused('NOT_FOUND', 'provision')
    const page = pageAsked(c, 100_000)
    const given = await skipping(page, (after) => peopleOf(context, batch, after, ROWS))
    const shown = []
    for (const { patient, items } of given) {
      const person = await people.read(patient)
      shown.push({
        number: localNumberOf(patient),
        kana: person?.kana.reveal() ?? '',
        items: items.map(itemWords).join('・'),
      })
    }
    const next = given.length === ROWS ? String(page + 1) : null
    return c.html(provisionPage(await this.#views.desk(c.get('session')), { row, people: shown, next }))
  }

  async #exportProvisions(c: OfficeContext): Promise<Response> {
    const { context } = this.#parts
    const form = await c.req.parseBody()
    const { period, errors } = this.#period(form['from'], form['to'])
    if (errors.length > 0) throw new Refused('REQUEST_MALFORMED', 'period')
    await this.#leaf(c, 'provisions.exported', { ...period, form: form['form'] === 'csv' ? 'csv' : 'json' })
    const name = `provisions-${period.from}-${period.to}`
    return form['form'] === 'csv'
      ? download(
          c,
          { name: `${name}.csv`, type: 'text/csv; charset=utf-8' },
          provisionsCsv(context, period, itemWords),
        )
      : download(
          c,
          { name: `${name}.jsonl`, type: 'application/jsonl; charset=utf-8' },
          provisionsJson(context, period),
        )
  }

  async #dryRunPage(c: OfficeContext): Promise<Response> {
    const last = await lastReport<DryRun>(this.#parts.context.store.db, 'dry-run')
    const view = {
      able: this.#parts.dryRun !== undefined,
      running: this.#dryRun !== null,
      last: last?.body ?? null,
    }
    return c.html(dryRunPage(await this.#views.desk(c.get('session')), view))
  }

  /** One at a time, in the background; reads everything, changes nothing. */
  async #startDryRun(c: OfficeContext): Promise<Response> {
    const by = c.get('session').staff.id
    const { dryRun } = this.#parts
    if (!dryRun) throw new Refused('NOT_ALLOWED', 'dry-run')
    if (this.#dryRun === null) {
      await this.#leaf(c, 'office.dry-run', {})
      this.#dryRun = this.#takeDryRun(dryRun, by).finally(() => {
        this.#dryRun = null
      })
    }
    return c.redirect('/office/dry-run', 303)
  }

  async #takeDryRun(dryRun: () => Promise<DryRun>, by: string): Promise<void> {
    const { context } = this.#parts
    try {
      const body = await dryRun()
      await context.store.bookkeep((tx) => keepReport(tx, 'dry-run', { at: body.at, by, body }))
    } catch {
      context.log('office.dry-run-failed')
    }
  }

  async #imports(c: OfficeContext): Promise<Response> {
    const session = c.get('session')
    const runs = await recentRuns(this.#parts.context.store.db, RUNS_SHOWN)
    return c.html(importsPage(await this.#views.desk(session), runs, session.staff.role === 'privacy'))
  }

  async #undoImport(c: OfficeContext): Promise<Response> {
    const session = c.get('session')
    const { voided } = await undoImport(this.#parts, { run: c.req.param('run') ?? '', by: session.staff.id })
    session.message = { kind: 'done', text: O.importUndoneDone(voided) }
    return c.redirect('/office/imports', 303)
  }

  async #evidenceForm(c: OfficeContext, errors: FieldError[]): Promise<Response> {
    const { period } = this.#period(undefined, undefined)
    const page = evidencePage(await this.#views.desk(c.get('session')), { period, errors })
    return c.html(page, errors.length > 0 ? 422 : 200)
  }

  async #evidence(c: OfficeContext): Promise<Response> {
    const { context, settings } = this.#parts
    const form = await c.req.parseBody()
    const by = c.get('session').staff.id
    const kept = settings.noticeText
    if (form['scope'] === 'period') {
      const { period, errors } = this.#period(form['from'], form['to'])
      if (errors.length > 0) return this.#evidenceForm(c, errors)
      const files = evidenceFiles(context, { scope: { kind: 'period', ...period }, by, kept })
      return download(
        c,
        { name: `evidence-${period.from}-${period.to}.zip`, type: 'application/zip' },
        zipped(files),
      )
    }
    const patient = await this.#patientOf(String(form['number'] ?? ''))
    if (patient === null) return this.#evidenceForm(c, [{ field: 'number', text: O.evidenceNumberWrong }])
    const files = evidenceFiles(context, { scope: { kind: 'person', patient }, by, kept })
    const name = `evidence-${aboutPatient(context, patient).slice(0, 8)}.zip`
    return download(c, { name, type: 'application/zip' }, zipped(files))
  }

  async #patientOf(number: string): Promise<PatientKey | null> {
    try {
      return (await patientOfNumber(this.#parts.context, number.normalize('NFKC').trim())).patient
    } catch (error) {
      if (error instanceof LineRefused) return null
      throw error
    }
  }
}

function itemWords(item: string): string {
  return Object.hasOwn(ITEM_WORDS, item) ? ITEM_WORDS[item as ItemClass] : item
}

/** The n-th page of something that is read from one key to the next. */
async function skipping<T extends { patient: PatientKey }>(
  page: number,
  read: (after: string) => Promise<T[]>,
): Promise<T[]> {
  let after = ''
  for (let at = 1; ; at++) {
    const rows = await read(after)
    if (at === page || rows.length === 0) return rows
    after = rows.at(-1)?.patient ?? after
  }
}

function countsOf(survey: Survey) {
  return {
    at: survey.at,
    people: survey.people,
    codes: [...survey.codes]
      .map(([code, people]) => ({ code, people }))
      .toSorted((a, b) => b.people - a.people),
    lists: LISTS.map((list) => ({ list, people: survey.lists.get(list)?.length ?? 0 })),
  }
}
