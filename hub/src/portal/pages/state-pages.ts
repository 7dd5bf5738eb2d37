import { handleOf, readStopToken } from '@kakehashi/protocol/stop-handle'
import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary } from '@kakehashi/ui/error-summary'
import { textField } from '@kakehashi/ui/field'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import { summaryList, type SummaryRow } from '@kakehashi/ui/summary-list'
import type { Context, Hono } from 'hono'
import { readReceipt, type Second } from '../receipt.ts'
import type { RequestState } from '../states.ts'
import { contactPart, errorsIn, titled } from './ask.ts'
import { LANGUAGES, layout, type Around, type Language } from './layout.ts'
import { busyPage, type AroundOf } from './number-pages.ts'
import { readBirthDate } from './typed.ts'
import type { PortalWords } from './words.ja.ts'

export interface StateParts {
  /** `unknown` alike for a number never given and for one asked with another second thing. */
  stateOf(
    asked: { receipt: string; second: Second },
    c: Context,
  ): Promise<RequestState | 'unknown' | 'too-often'>
}

interface Typed {
  receipt: string
  second: string
}

function readSecond(typed: string): Second | null {
  const token = readStopToken(typed)
  if (token !== null) return { handle: handleOf(token) }
  const birthDate = readBirthDate(typed)
  return birthDate === null ? null : { birthDate }
}

function formPage(around: Around, typed: Typed, wrong: (keyof Typed)[]): Markup {
  const w = LANGUAGES[around.language]
  const { errors, errorOf } = errorsIn(wrong, { receipt: w.receiptError, second: w.secondError })
  return layout(
    around,
    titled(w, w.stateTitle, errors),
    html`${errorSummary(r(w.errorTitle), errors)}
      <h1>${r(w.stateTitle)}</h1>
      <p>${r(w.stateLead)}</p>
      <form method="post" action="/${around.language}/state">
        ${textField({ name: 'receipt', label: r(w.receiptLabel), value: typed.receipt, maxlength: 20, width: 'short', error: errorOf('receipt') })}
        ${textField({ name: 'second', label: r(w.secondLabel), hint: r(w.secondHint), value: typed.second, maxlength: 64, error: errorOf('second') })}
        ${button({ text: r(w.next) })}
      </form>`,
  )
}

function unknownPage(around: Around): Markup {
  const w = LANGUAGES[around.language]
  return layout(
    around,
    w.stateUnknownTitle,
    html`<h1>${r(w.stateUnknownTitle)}</h1>
      <p>${r(w.stateUnknown)}</p>
      ${contactPart(w, around.operator)}
      ${linkButton({ text: r(w.stateTitle), kind: 'secondary', href: `/${around.language}/state` })}`,
  )
}

function rowsOf(w: PortalWords, state: RequestState): SummaryRow[] {
  const row = (term: string, day: string | null): SummaryRow => ({
    term: r(term),
    detail: day === null ? r(w.stateNotYet) : html`<time datetime="${day}">${day}</time>`,
  })
  const rows = [
    row(w.stateReceived, state.asked),
    row(w.statePassed, state.passed),
    row(state.byToken ? w.stateHeld : w.stateHeldNumber, state.held),
  ]
  if (state.erasureAsked)
    rows.push(
      state.byToken
        ? row(w.stateErased, state.erased)
        : { term: r(w.stateErased), detail: r(w.stateErasedTold) },
    )
  return state.lifted === null ? rows : [...rows, row(w.stateLifted, state.lifted)]
}

function statePage(around: Around, receipt: string, state: RequestState): Markup {
  const w = LANGUAGES[around.language]
  return layout(
    around,
    w.stateTitle,
    html`<h1>${r(w.stateTitle)}</h1>
      <p>${r(w.receiptLabel)}</p>
      <p class="receipt">${receipt}</p>
      ${summaryList(rowsOf(w, state))}
      <p>${r(w.nextItems[2] ?? '')}</p>
      ${contactPart(w, around.operator)}`,
  )
}

/** How far a request came, to whoever has its receipt number and what was given with it. */
export function addStatePages(app: Hono, parts: StateParts, language: Language, around: AroundOf): void {
  app.get(`/${language}/state`, (c) =>
    c.html(formPage(around(language, '/state'), { receipt: '', second: '' }, [])),
  )
  app.post(`/${language}/state`, async (c) => {
    const form = await c.req.parseBody()
    const text = (name: string) => String(form[name] ?? '').slice(0, 64)
    const typed = { receipt: text('receipt'), second: text('second') }
    const [receipt, second] = [readReceipt(typed.receipt), readSecond(typed.second)]
    const here = around(language, '/state', typed)
    if (receipt === null || second === null) {
      const wrong: (keyof Typed)[] = [
        ...(receipt === null ? ['receipt' as const] : []),
        ...(second === null ? ['second' as const] : []),
      ]
      return c.html(formPage(here, typed, wrong), 422)
    }
    const state = await parts.stateOf({ receipt, second }, c)
    if (state === 'too-often') return c.html(busyPage(around(language, '')), 429)
    // what was typed is not in the page, so that it is the same bytes for every number that is not found
    if (state === 'unknown') return c.html(unknownPage(around(language, '/state')))
    return c.html(statePage(here, receipt, state))
  })
}
