import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { dayAndTime } from '@kakehashi/ui/dates'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { inJapanese } from '@kakehashi/protocol/refusals'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import { W } from '../../counter/words.ja.ts'
import type { DryRun } from '../../gate/dry-run.ts'
import type { RunRow } from '../../imports/store.ts'
import type { Period } from '../provision-export.ts'
import { O } from '../words.ja.ts'
import { periodFields } from './provisions.ts'

const back = () => linkButton({ text: SHARED_WORDS.back, href: '/office' })

export interface DryRunView {
  able: boolean
  running: boolean
  last: DryRun | null
}

export function dryRunPage(around: DeskView, view: DryRunView): Markup {
  return desk(
    around,
    O.dryRunTitle,
    html`<h1>${O.dryRunTitle}</h1>
      <p>${O.dryRunLead}</p>
      ${
        view.running
          ? html`<p class="state" role="status">${O.dryRunRunning}</p>`
          : view.able
            ? html`<form method="post" action="/office/dry-run">
                ${hiddenField('csrf', around.csrf)}${button({ text: O.dryRunStart })}
              </form>`
            : html`<p>${O.dryRunUnable}</p>`
      }
      ${view.last ? dryRunResult(view.last) : html`<p>${O.dryRunNone}</p>`} ${back()}`,
  )
}

function dryRunResult(run: DryRun): Markup {
  return html`${banner({ kind: run.reconciles ? 'done' : 'warning', label: run.reconciles ? W.doneLabel : W.warningLabel, text: run.reconciles ? O.dryRunReconciles : O.dryRunDiffers })}
  ${table({
    caption: O.dryRunAt(dayAndTime(run.at), run.ruleVersion),
    columns: [...O.dryRunColumns],
    none: O.dryRunNone,
    rows: [
      [O.dryRunOpen, run.open.patients, run.open.records],
      ...run.reasons.map((one) => [one.sentence, one.patients, one.records]),
      [O.dryRunTotal, run.source.patients, run.source.records],
    ],
  })}
  ${
    run.faults.length === 0
      ? ''
      : table({
          caption: O.dryRunFaults,
          columns: [...O.dryRunFaultColumns],
          none: '',
          rows: run.faults.map((one) => [one.place, inJapanese(one.code)]),
        })
  }`
}

export function importsPage(around: DeskView, runs: readonly RunRow[], mayUndo: boolean): Markup {
  return desk(
    around,
    O.importsTitle,
    html`<h1>${O.importsTitle}</h1>
      <p>${O.importsLead}</p>
      ${table({
        caption: O.importsTitle,
        columns: O.importColumns.map((text, at) =>
          at === 4 ? html`<span class="hide">${O.importUndo}</span>` : text,
        ),
        none: O.importsNone,
        rows: runs.map((run) => [
          dayAndTime(run.startedAt),
          run.kind === 'csv' ? 'CSV' : 'HL7 ADT',
          run.source,
          run.entries,
          run.undoneAt !== null ? O.importUndone(dayAndTime(run.undoneAt)) : mayUndo ? undo(around, run) : '',
        ]),
      })}
      ${back()}`,
  )
}

function undo(around: DeskView, run: RunRow): Markup {
  return html`<form method="post" action="/office/imports/${run.run}/undo">
    ${hiddenField('csrf', around.csrf)}${button({ text: html`${O.importUndo}<span class="hide"> ${dayAndTime(run.startedAt)}</span>`, kind: 'plain' })}
  </form>`
}

export function evidencePage(
  around: DeskView,
  view: { period: Period; errors: readonly FieldError[] },
): Markup {
  const { errors } = view
  return desk(
    around,
    errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${O.evidenceTitle}` : O.evidenceTitle,
    html`<h1>${O.evidenceTitle}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, errors)}
      <p>${O.evidenceLead}</p>
      <form method="post" action="/office/evidence">
        ${hiddenField('csrf', around.csrf)}
        ${radios({
          name: 'scope',
          label: O.evidenceScope,
          inline: true,
          chosen: 'person',
          choices: [
            { value: 'person', text: O.evidencePerson },
            { value: 'period', text: O.evidencePeriod },
          ],
        })}
        ${textField({ name: 'number', label: O.evidenceNumber, width: 'short', maxlength: 64, error: errors.find((one) => one.field === 'number')?.text })}
        ${periodFields(view.period, errors)} ${button({ text: O.evidenceMake })}
      </form>
      <p>${O.evidenceHow}</p>
      ${back()}`,
  )
}
