import { button } from '@kakehashi/ui/button'
import { errorSummary } from '@kakehashi/ui/error-summary'
import { textArea, textField } from '@kakehashi/ui/field'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import type { Context, Hono } from 'hono'
import { CONTACT_MAX, QUESTION_MAX } from '../sealed-request.ts'
import { readReceipt } from '../receipt.ts'
import { contactPart, receiptPart, titled } from './ask.ts'
import { LANGUAGES, layout, type Around, type Language } from './layout.ts'
import { busyPage, type AroundOf } from './number-pages.ts'

export interface Question {
  text: string
  contact: string
  language: Language
}

export interface QuestionParts {
  /** Sealed to the vault. `null`: too many now. */
  takeQuestion(asked: Question, c: Context): Promise<{ receipt: string } | null>
}

function formPage(around: Around, typed: { text: string; contact: string }, wrong: boolean): Markup {
  const w = LANGUAGES[around.language]
  const errors = wrong ? [{ field: 'text', text: r(w.questionError) }] : []
  return layout(
    around,
    titled(w, w.questionTitle, errors),
    html`${errorSummary(r(w.errorTitle), errors)}
      <h1>${r(w.questionTitle)}</h1>
      <p>${r(w.questionLead)}</p>
      <form method="post" action="/${around.language}/question">
        ${textArea({ name: 'text', label: r(w.questionLabel), hint: r(w.questionHint), value: typed.text, maxlength: QUESTION_MAX, error: errors[0]?.text })}
        ${textField({ name: 'contact', label: r(w.questionContact), hint: r(w.questionContactHint), value: typed.contact, maxlength: CONTACT_MAX })}
        ${button({ text: r(w.questionSend) })}
      </form>`,
  )
}

function donePage(around: Around, receipt: string): Markup {
  const w = LANGUAGES[around.language]
  return layout(
    around,
    w.doneTitle,
    html`<h1>${r(w.doneTitle)}</h1>
      <p>${r(w.questionDone)}</p>
      ${receiptPart(w, receipt)} ${contactPart(w, around.operator)}`,
  )
}

/** A question of anybody, with or without a way to answer (LAW R45). It stays in no address and on no page after it. */
export function addQuestionPages(
  app: Hono,
  parts: QuestionParts,
  language: Language,
  around: AroundOf,
): void {
  const typedIn = async (c: Context) => {
    const form = await c.req.parseBody()
    const text = (name: string) => String(form[name] ?? '').replaceAll('\r\n', '\n')
    return { text: text('text').trim(), contact: [...text('contact').trim()].slice(0, CONTACT_MAX).join('') }
  }
  app.get(`/${language}/question`, (c) =>
    c.html(formPage(around(language, '/question'), { text: '', contact: '' }, false)),
  )
  app.post(`/${language}/question`, async (c) => {
    const typed = await typedIn(c)
    const long = [...typed.text].length > QUESTION_MAX
    if (typed.text === '' || long) {
      const kept = { ...typed, text: [...typed.text].slice(0, QUESTION_MAX).join('') }
      return c.html(formPage(around(language, '/question/again', kept), kept, true), 422)
    }
    const taken = await parts.takeQuestion({ ...typed, language }, c)
    return taken
      ? c.redirect(`/${language}/question/${taken.receipt}`, 303)
      : c.html(busyPage(around(language, '')), 429)
  })
  // in another language: shown again with what was written, and not sent
  app.post(`/${language}/question/again`, async (c) => {
    const typed = await typedIn(c)
    return c.html(formPage(around(language, '/question/again', typed), typed, false))
  })
  app.get(`/${language}/question/:receipt`, (c) => {
    const receipt = readReceipt(c.req.param('receipt') ?? '')
    return receipt === null
      ? c.notFound()
      : c.html(donePage(around(language, `/question/${receipt}`), receipt))
  })
}
