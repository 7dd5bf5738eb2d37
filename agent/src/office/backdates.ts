import { noticeId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { dayAndTime, longDate } from '@kakehashi/ui/dates'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Context, Hono } from 'hono'
import type { CounterEnv, CounterParts } from '../counter/parts.ts'
import type { CounterViews } from '../counter/views.ts'
import { countBackdates, pendingBackdates } from '../register/notice.ts'
import { pageAsked, ROWS } from './paging.ts'
import { backdatesPage, type BackdateRow } from './pages/backdates.ts'
import { O } from './words.ja.ts'

const EVIDENCE_MAX = 100

/** Earlier dates that somebody entered and that a second person has to see the evidence of (LAW trap 15). */
export class BackdateRoutes {
  readonly #parts: CounterParts
  readonly #views: CounterViews
  constructor(parts: CounterParts, views: CounterViews) {
    this.#parts = parts
    this.#views = views
  }

  mount(app: Hono<CounterEnv>): void {
    app.get('/office/backdates', async (c) => c.html(await this.#page(c, [])))
    app.post('/office/backdates/:notice', (c) => this.#answer(c))
  }

  async #page(c: Context<CounterEnv>, errors: FieldError[]) {
    const session = c.get('session')
    const { db } = this.#parts.context.store
    const pages = Math.max(1, Math.ceil((await countBackdates(db)) / ROWS))
    const page = pageAsked(c, pages)
    const rows: BackdateRow[] = []
    for (const given of await pendingBackdates(db, { offset: (page - 1) * ROWS, limit: ROWS })) {
      const person = await this.#parts.people.read(given.patient)
      if (!person || given.saidDeliveredAt === undefined) continue
      rows.push({
        notice: given.notice,
        person: this.#views.person(session, person),
        said: longDate(tokyoDate(given.saidDeliveredAt)),
        recordedAt: dayAndTime(given.recordedAt),
        by: (await this.#parts.staff.read(given.by))?.name ?? given.by,
        own: given.by === session.staff.id,
        evidence: given.evidence ?? '',
      })
    }
    return backdatesPage(await this.#views.desk(session), { rows, page, pages, errors })
  }

  async #answer(c: Context<CounterEnv>): Promise<Response> {
    const session = c.get('session')
    const { register } = this.#parts
    const notice = noticeId(c.req.param('notice') ?? '')
    const form = await c.req.parseBody()
    const evidence = String(form['evidence'] ?? '')
      .trim()
      .slice(0, EVIDENCE_MAX)
    const by = session.staff.id
    if (form['answer'] === 'refuse') {
      await register.refuseBackdate({ notice, by })
      session.message = { kind: 'done', text: O.backdateRefused }
      return c.redirect('/office/backdates', 303)
    }
    if (evidence === '')
      return c.html(await this.#page(c, [{ field: `evidence-${notice}`, text: O.backdateNoEvidence }]), 422)
    try {
      await register.approveBackdate({ notice, evidence, by })
      session.message = { kind: 'done', text: O.backdateApproved }
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code === 'NOT_FOUND') throw error
      const { place } = error.refusal
      session.message = {
        kind: 'warning',
        text: place === 'approvedBy' ? O.backdateOwn : O.backdateBeforeNotice,
      }
    }
    return c.redirect('/office/backdates', 303)
  }
}
