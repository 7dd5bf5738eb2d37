import { banner } from '@kakehashi/ui/banner'
import { button } from '@kakehashi/ui/button'
import { dayAndTime } from '@kakehashi/ui/dates'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import type { Answer, ReleaseFile, ReleaseLine } from '../parts.ts'
import { W } from '../words.ja.ts'
import { room, type RoomView } from './room.ts'

export const ANSWERS = ['approve', 'return', 'reject'] as const satisfies readonly Answer[]

export function releasesPage(around: RoomView, lines: readonly ReleaseLine[]): Markup {
  return room(
    around,
    W.releases,
    html`<h1>${W.releases}</h1>
      ${table({
        caption: W.releases,
        columns: [W.releaseTitle, W.releaseAuthor, W.releaseState, W.releaseAt],
        none: W.releaseNone,
        rows: lines.map((line) => [
          html`<a href="/releases/${encodeURIComponent(line.release)}">${line.title}</a>`,
          line.author,
          W.releaseStates[line.state],
          dayAndTime(line.at),
        ]),
      })}`,
  )
}

function report(file: ReleaseFile): Markup {
  if (!file.report)
    return html`<h2>${W.riskTitle}</h2>
      <p>${W.riskNone}</p>`
  return html`<h2>${W.riskTitle}</h2>
    <p class="quote">${file.report.sentence}</p>
    ${table({
      caption: W.riskTitle,
      columns: [W.measure, W.value, W.threshold, W.verdict, W.how],
      none: W.riskNone,
      rows: file.report.measures.map((one) => [
        one.name,
        one.value,
        one.threshold,
        html`<span class="state" ${one.passes ? '' : html` data-alert`}
          >${one.passes ? W.passes : W.fails}</span
        >`,
        one.how,
      ]),
    })}`
}

function votes(file: ReleaseFile): Markup {
  return html`<h2>${W.votesTitle}</h2>
    <p>${W.blind}</p>
    ${table({
      caption: W.votesTitle,
      columns: [W.voteBy, W.releaseAt, W.voteAnswer, W.voteComment],
      none: W.voteNone,
      rows: file.votes.map((one) => [
        one.by,
        dayAndTime(one.at),
        one.answer ? W.answer[one.answer] : W.hidden,
        one.comment ?? '-',
      ]),
    })}`
}

function voteForm(csrf: string, file: ReleaseFile, view: VoteView): Markup {
  const errorOf = (field: string) => view.errors.find((one) => one.field === field)?.text
  if (file.mayNot) return banner({ kind: 'note', label: W.noteLabel, text: W.whyNot[file.mayNot] })
  return html`<h2>${W.voteTitle}</h2>
    <form method="post" action="/releases/${encodeURIComponent(file.release)}/vote">
      ${hiddenField('csrf', csrf)}${hiddenField('digest', file.digest ?? '')}
      ${radios({
        name: 'answer',
        label: W.voteAnswer,
        chosen: view.answer,
        error: errorOf('answer'),
        choices: ANSWERS.map((value) => ({ value, text: W.answer[value] })),
      })}
      ${textField({ name: 'comment', label: W.commentLabel, hint: W.voteReason, value: view.comment, maxlength: 1000, error: errorOf('comment') })}
      ${textField({ name: 'passphrase', label: W.passphraseAgain, hint: W.passphraseWhy, type: 'password', autocomplete: 'current-password', error: errorOf('passphrase') })}
      ${button({ text: W.vote })}
    </form>`
}

export interface VoteView {
  answer?: string
  comment: string
  errors: FieldError[]
}

export function releasePage(around: RoomView, file: ReleaseFile, view: VoteView): Markup {
  return room(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${file.title}` : file.title,
    html`<h1>${file.title}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
      ${summaryList([
        { term: W.releaseState, detail: W.releaseStates[file.state] },
        { term: W.releaseAuthor, detail: file.author },
        { term: W.purpose, detail: file.purpose },
        { term: W.user, detail: file.user },
        { term: W.digest, detail: file.digest ?? '-' },
      ])}
      ${report(file)} ${votes(file)} ${voteForm(around.csrf, file, view)}`,
  )
}
