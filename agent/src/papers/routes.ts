import { setImmediate as turn } from 'node:timers/promises'
import { NOTICE_LANGUAGES, type NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FieldError } from '@kakehashi/ui/error-summary'
import { longDate } from '@kakehashi/ui/dates'
import type { Context, Hono } from 'hono'
import { aboutPatient } from '../context.ts'
import { hospitalLines, type CounterEnv, type CounterParts } from '../counter/parts.ts'
import { guardianNeeded, stopsInForce } from '../counter/rules.ts'
import type { CounterViews } from '../counter/views.ts'
import { filingSheetOf } from '../register/filing-sheet.ts'
import { facilityStateOf, patientStateOf } from '../register/read.ts'
import {
  handOverPaper,
  numberOf,
  postRun,
  printPapers,
  SHEETS_MAX,
  voidPaper,
  voidRun,
  type Sheet,
} from './flow.ts'
import { numbersIn, patientsOf } from './numbers.ts'
import { filing } from './pages/filing.ts'
import { letter } from './pages/letter.ts'
import { menuPage } from './pages/menu.ts'
import { oneSheetPage } from './pages/one-sheet.ts'
import { poster } from './pages/poster.ts'
import { paperPage, printRunPage } from './pages/print-run.ts'
import { noticeSheet, type NoticeSheetView } from './pages/sheet.ts'
import { PrintDesk } from './print-desk.ts'
import { readPaperNumber } from './rules.ts'
import { readPaper, recentPrintRuns } from './store.ts'
import { publishedVersions, type Published } from './texts.ts'
import { P } from './words.ja.ts'

const RUNS_SHOWN = 20
/** Codes take their time: the desk is served in between. */
const SHEETS_PER_TURN = 20

type PaperContext = Context<CounterEnv>

/** Printing in advance, the sheet that is handed over, the poster, the letters. */
export class PaperRoutes {
  readonly #parts: CounterParts
  readonly #views: CounterViews
  readonly #desk: PrintDesk

  constructor(parts: CounterParts, views: CounterViews) {
    this.#parts = parts
    this.#views = views
    this.#desk = new PrintDesk(parts.context.env)
  }

  mount(app: Hono<CounterEnv>): void {
    app.get('/papers', (c) => this.#menu(c, [], ''))
    app.post('/papers/print', (c) => this.#print(c))
    app.get('/papers/run/:run', (c) => this.#run(c))
    app.post('/papers/run/:run/void', (c) => this.#voidRun(c))
    app.post('/papers/run/:run/posted', (c) => this.#posted(c))
    app.post('/papers/find', (c) => this.#find(c))
    app.get('/papers/sheet/:paper', (c) => this.#sheet(c))
    app.post('/papers/sheet/:paper/handed', (c) => this.#handed(c))
    app.post('/papers/sheet/:paper/void', (c) => this.#void(c))
    app.get('/papers/poster', (c) => this.#poster(c))
    app.get('/papers/filing', (c) => this.#filing(c))
  }

  async #published(): Promise<Published | null> {
    const { context, settings } = this.#parts
    const versions = await publishedVersions(context.store.db, context.track, settings.noticeText)
    return versions.find((one) => one.texts.has('ja')) ?? null
  }

  async #menu(c: PaperContext, errors: FieldError[], typed: string): Promise<Response> {
    const session = c.get('session')
    const published = await this.#published()
    const view = {
      languages: NOTICE_LANGUAGES.filter((language) => published?.texts.has(language)),
      runs: await recentPrintRuns(this.#parts.context.store.db, RUNS_SHOWN),
      letters: session.staff.role === 'privacy',
      errors,
      typed,
    }
    return c.html(menuPage(await this.#views.desk(session), view), errors.length > 0 ? 422 : 200)
  }

  async #print(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const { context } = this.#parts
    const form = await c.req.parseBody()
    const typed = String(form['patients'] ?? '')
    const numbers = numbersIn(typed)
    if (numbers.length === 0) return this.#menu(c, [{ field: 'patients', text: P.printEmpty }], typed)
    if (numbers.length > SHEETS_MAX)
      return this.#menu(c, [{ field: 'patients', text: P.printTooMany }], typed)
    const published = await this.#published()
    if (!published) throw new Refused('NOT_FOUND', 'template')
    const kind = form['kind'] === 'letter' && session.staff.role === 'privacy' ? 'letter' : 'notice'
    const report = await printPapers(context, {
      patients: await patientsOf(context, numbers),
      published,
      language: languageOf(form['language'], published),
      kind,
      by: session.staff.id,
      repeat: form['repeat'] === 'yes',
    })
    this.#desk.hold({ session: session.id, report, published, kind })
    return c.redirect(`/papers/run/${report.run}`, 303)
  }

  async #run(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const held = this.#desk.held(c.req.param('run') ?? '', session.id)
    if (!held) {
      session.message = { kind: 'warning', text: P.sheetsGone }
      return c.redirect('/papers', 303)
    }
    const view = await this.#sheetView()
    const left = [...held.report.left]
    const papers = []
    for (const [at, sheet] of held.report.sheets.entries()) {
      if (at % SHEETS_PER_TURN === 0) await turn()
      const notice = { ...view, ...sheet, bearer: await this.#bearer(sheet) }
      if (held.kind === 'notice') papers.push(noticeSheet(notice))
      else {
        const to = await this.#letterTo(sheet)
        if (to === null) left.push({ number: numberOf(sheet), why: 'address' })
        else papers.push(letter({ to, template: held.published.template, notice }))
      }
    }
    return c.html(printRunPage(await this.#views.desk(session), papers, left))
  }

  async #bearer(sheet: Sheet): Promise<string | null> {
    const person = await this.#parts.people.read(sheet.patient)
    return person ? P.bearer(person.kanji.reveal() || person.kana.reveal(), person.number) : null
  }

  async #sheetView(): Promise<Omit<NoticeSheetView, keyof Sheet>> {
    const { context, settings } = this.#parts
    const facility = await facilityStateOf(context.store.db, context.facility)
    return {
      portal: settings.portalAddress,
      phone: settings.operatorPhone,
      hospital: hospitalLines(settings.facilityName, facility?.entity ?? null),
      day: longDate(tokyoDate(context.env.now())),
    }
  }

  /** Asked of the hospital's own system for this one page. */
  async #letterTo(sheet: Sheet): Promise<{ postalCode: string; lines: string[]; name: string } | null> {
    const address = await this.#parts.addressOf?.(sheet.patient)
    if (!address) return null
    return {
      postalCode: address.postalCode.reveal(),
      lines: address.lines.map((line) => line.reveal()),
      name: address.name.reveal(),
    }
  }

  async #voidRun(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const run = c.req.param('run') ?? ''
    const voided = await voidRun(this.#parts.context, { run, by: session.staff.id })
    session.message = { kind: 'done', text: P.runVoided(voided) }
    return c.redirect('/papers', 303)
  }

  async #posted(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const posted = await postRun(this.#parts, { run: c.req.param('run') ?? '', by: session.staff.id })
    session.message = { kind: 'done', text: P.runPostedDone(posted) }
    return c.redirect('/papers', 303)
  }

  async #find(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const { context } = this.#parts
    const typed = String((await c.req.parseBody())['paper'] ?? '')
    const number = readPaperNumber(typed)
    const sheet = number === null ? null : await readPaper(context.store.db, number)
    if (!sheet) return this.#menu(c, [{ field: 'paper', text: P.findNone }], '')
    const about = aboutPatient(context, sheet.patient)
    await context.store.transact({ act: 'paper.opened', actor: session.staff.id, about }, async () => {})
    this.#desk.open(session.id, sheet.paper)
    return c.redirect(`/papers/sheet/${sheet.paper}`, 303)
  }

  /** The sheet named in the address, if this session has scanned it. */
  async #opened(c: PaperContext) {
    const paper = c.req.param('paper') ?? ''
    const { context, people } = this.#parts
    const sheet = this.#desk.isOpen(c.get('session').id, paper)
      ? await readPaper(context.store.db, paper)
      : null
    const person = sheet ? await people.read(sheet.patient) : null
    if (!sheet || !person) throw new Refused('NOT_FOUND', 'paper')
    return { sheet, person }
  }

  async #sheet(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const { context } = this.#parts
    const { sheet, person } = await this.#opened(c)
    const state = await patientStateOf(context.store.db, sheet.patient)
    const shown = this.#views.person(session, person)
    const age = context.rulesAt(context.env.now()).ownNoticeAge
    return c.html(
      oneSheetPage(await this.#views.desk(session), {
        sheet,
        person: shown,
        stopped: stopsInForce(state).length > 0,
        guardianNeeded: guardianNeeded(state, shown.age, age),
      }),
    )
  }

  async #handed(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const { sheet } = await this.#opened(c)
    const { to } = await c.req.parseBody()
    const recipients = to === 'both' ? (['person', 'guardian'] as const) : (['person'] as const)
    await handOverPaper(this.#parts, { paper: sheet.paper, by: session.staff.id, recipients })
    session.message = { kind: 'done', text: P.sheetDone }
    return c.redirect('/', 303)
  }

  async #void(c: PaperContext): Promise<Response> {
    const session = c.get('session')
    const { sheet } = await this.#opened(c)
    await voidPaper(this.#parts.context, { paper: sheet.paper, by: session.staff.id })
    session.message = { kind: 'done', text: P.sheetVoided }
    return c.redirect('/papers', 303)
  }

  async #filing(c: PaperContext): Promise<Response> {
    const { context } = this.#parts
    const { text } = await filingSheetOf(context, { track: context.track })
    return c.html(paperPage(await this.#views.desk(c.get('session')), P.filingTitle, filing(text)))
  }

  async #poster(c: PaperContext): Promise<Response> {
    const { portal, phone, hospital } = await this.#sheetView()
    const content = (await this.#published())?.content ?? null
    const around = await this.#views.desk(c.get('session'))
    return c.html(paperPage(around, P.posterTitle, poster({ content, portal, phone, hospital })))
  }
}

function languageOf(asked: unknown, published: Published): NoticeLanguage {
  return NOTICE_LANGUAGES.find((one) => one === asked && published.texts.has(one)) ?? 'ja'
}
