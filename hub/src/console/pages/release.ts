import { banner } from '@kakehashi/ui/banner'
import { button } from '@kakehashi/ui/button'
import { dayAndTime } from '@kakehashi/ui/dates'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { STATE_WORDS } from '../../release/rules.ts'
import type { ReleaseSummary } from '../../release/read.ts'
import type { ReleaseFile } from '../releases.ts'
import { W } from '../words.ja.ts'
import { riskSection } from './risk.ts'
import { stepUpFields } from './step-up.ts'
import { room, type RoomView } from './room.ts'

export const ANSWERS = ['approve', 'reject'] as const

export function releasesPage(around: RoomView, lines: readonly ReleaseSummary[]): Markup {
  return room(
    around,
    W.releases,
    html`<h1>${W.releases}</h1>
      ${table({
        caption: W.releaseList,
        columns: [W.releaseTitle, W.releaseAuthor, W.releaseState, W.releaseAt],
        none: W.releaseNone,
        rows: lines.map((line) => [
          html`<a href="/releases/${encodeURIComponent(line.release)}">${line.title}</a>`,
          line.author,
          STATE_WORDS[line.state],
          dayAndTime(line.at),
        ]),
      })}`,
  )
}

function about(file: ReleaseFile): Markup {
  const { application } = file
  const { diagnoses, window } = application.cohort
  return summaryList([
    { term: W.releaseState, detail: STATE_WORDS[file.state] },
    { term: W.releaseAuthor, detail: file.author },
    { term: W.reviewers, detail: file.reviewers.join('、') || '-' },
    { term: W.purpose, detail: application.purpose },
    { term: W.recipient, detail: application.recipient.name },
    { term: W.sharing, detail: application.sharing || '-' },
    { term: W.cohort, detail: diagnoses ? diagnoses.prefixes.join('、') : W.cohortAll },
    { term: W.window, detail: window ? `${window.from} 〜 ${window.to}` : W.windowAll },
    { term: W.profile, detail: file.profile },
    { term: W.digest, detail: file.voting?.digest ?? file.digest },
  ])
}

function votes(file: ReleaseFile): Markup {
  return html`<h2>${W.votesTitle}</h2>
    <p>${W.blind}</p>
    ${table({
      caption: W.votesCaption,
      columns: [W.voteBy, W.voteStage, W.releaseAt, W.voteAnswer, W.reasonLabel],
      none: W.voteNone,
      rows: file.shown.map(({ by, stage, at, vote }) => [
        by,
        W.stage[stage],
        dayAndTime(at),
        vote ? `${W.answer[vote.answer]}${vote.conflict ? W.conflictMark : ''}` : W.hidden,
        vote?.reason || '-',
      ]),
    })}`
}

export interface VoteView {
  answer?: (typeof ANSWERS)[number]
  conflict?: 'no' | 'yes'
  reason: string
  errors: FieldError[]
}

function voteForm(csrf: string, file: ReleaseFile, view: VoteView): Markup {
  const errorOf = (field: string) => view.errors.find((one) => one.field === field)?.text
  if (file.mayNot !== null) return banner({ kind: 'note', label: W.noteLabel, text: file.mayNot })
  return html`<h2 class="no-print">${W.voteTitle}</h2>
    <form class="no-print" method="post" action="/releases/${encodeURIComponent(file.release)}/vote">
      ${hiddenField('csrf', csrf)}${hiddenField('digest', file.voting?.digest ?? '')}
      ${radios({
        name: 'conflict',
        label: W.conflictLabel,
        hint: W.conflictHint,
        chosen: view.conflict,
        error: errorOf('conflict'),
        choices: [
          { value: 'no', text: W.conflictNo },
          { value: 'yes', text: W.conflictYes },
        ],
      })}
      ${radios({
        name: 'answer',
        label: W.voteAnswer,
        chosen: view.answer,
        error: errorOf('answer'),
        choices: ANSWERS.map((value) => ({ value, text: W.answer[value] })),
      })}
      ${textField({ name: 'reason', label: W.reasonLabel, hint: W.voteReason, value: view.reason, maxlength: 1000, error: errorOf('reason') })}
      ${stepUpFields(view.errors)} ${button({ text: W.vote })}
    </form>`
}

export function releasePage(around: RoomView, file: ReleaseFile, view: VoteView): Markup {
  return room(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${file.title}` : file.title,
    html`<h1>${file.title}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)} ${about(file)} ${riskSection(file.risk)}
      ${votes(file)} ${voteForm(around.csrf, file, view)}`,
  )
}
