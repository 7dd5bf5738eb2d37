import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { dayAndTime } from '@kakehashi/ui/dates'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { PAPER_WORDS } from '../languages.ts'
import type { PrintRun } from '../store.ts'
import { P } from '../words.ja.ts'

export interface MenuView {
  languages: readonly NoticeLanguage[]
  runs: readonly PrintRun[]
  /** Letters are the privacy officer's. */
  letters: boolean
  errors: readonly FieldError[]
  typed: string
}

const errorOf = (view: MenuView, field: string) => view.errors.find((one) => one.field === field)?.text

export function menuPage(around: DeskView, view: MenuView): Markup {
  return desk(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${P.title}` : P.title,
    html`<h1>${P.title}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
      <p>${P.lead}</p>
      <h2>${P.findTitle}</h2>
      <form method="post" action="/papers/find">
        ${hiddenField('csrf', around.csrf)}
        ${textField({ name: 'paper', label: P.findLabel, hint: P.findHint, width: 'short', maxlength: 40, error: errorOf(view, 'paper') })}
        ${button({ text: P.find, kind: 'secondary' })}
      </form>
      ${view.languages.length === 0 ? html`<p class="state">${P.noText}</p>` : printForm(around, view)}
      <h2>${P.posterTitle}</h2>
      <p>${P.posterLead}</p>
      ${linkButton({ text: P.posterOpen, href: '/papers/poster' })}
      ${
        view.letters && view.languages.length > 0
          ? html`<h2>${P.filingTitle}</h2>
              <p>${P.filingLead}</p>
              ${linkButton({ text: P.filingOpen, href: '/papers/filing' })}`
          : ''
      }
      ${runsTable(around, view)}`,
  )
}

function printForm(around: DeskView, view: MenuView): Markup {
  return html`<h2>${P.printTitle}</h2>
    <form method="post" action="/papers/print">
      ${hiddenField('csrf', around.csrf)}
      <div class="field" ${errorOf(view, 'patients') ? html` data-error` : ''}>
        <label class="field__label" for="patients">${P.printLabel}</label>
        <div class="field__hint" id="patients-hint">${P.printHint}</div>
        ${errorOf(view, 'patients') ? html`<div class="field__error" id="patients-error">${errorOf(view, 'patients')}</div>` : ''}
        <textarea
          class="field__input"
          id="patients"
          name="patients"
          rows="6"
          autocomplete="off"
          spellcheck="false"
          aria-describedby="patients-hint"
        >
${view.typed}</textarea>
      </div>
      ${radios({ name: 'language', label: P.language, inline: true, chosen: 'ja', choices: view.languages.map((value) => ({ value, text: PAPER_WORDS[value].name })) })}
      ${
        view.letters
          ? radios({
              name: 'kind',
              label: P.kind,
              inline: true,
              chosen: 'notice',
              choices: [
                { value: 'notice', text: P.kindNotice },
                { value: 'letter', text: P.kindLetter },
              ],
            })
          : ''
      }
      ${radios({
        name: 'repeat',
        label: P.repeat,
        inline: true,
        chosen: 'no',
        choices: [
          { value: 'no', text: P.repeatNo },
          { value: 'yes', text: P.repeatYes },
        ],
      })}
      ${button({ text: P.print })}
    </form>`
}

function runsTable(around: DeskView, view: MenuView): Markup {
  return table({
    caption: P.runsTitle,
    columns: P.runColumns.map((text, at) => (at === 5 ? html`<span class="hide">${P.runVoid}</span>` : text)),
    none: P.runsNone,
    rows: view.runs.map((run) => [
      dayAndTime(run.printedAt),
      P.runKind[run.kind],
      run.papers,
      run.printed,
      run.voided,
      run.printed === 0 ? '' : runForms(around, view, run),
    ]),
  })
}

function runForms(around: DeskView, view: MenuView, run: PrintRun): Markup {
  const form = (act: 'void' | 'posted', text: string) =>
    html`<form method="post" action="/papers/run/${run.run}/${act}">
      ${hiddenField('csrf', around.csrf)}${button({ text: html`${text}<span class="hide"> ${dayAndTime(run.printedAt)}</span>`, kind: 'plain' })}
    </form>`
  return html`${view.letters && run.kind === 'letter' ? form('posted', P.runPosted) : ''}${form('void', P.runVoid)}`
}
