import type { Track } from '@kakehashi/protocol/rules/state'
import { NOTICE_LANGUAGES, type NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, withReadings, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { DEATH_DAY_UNKNOWN } from '../../patients/rules.ts'
import { RECORD } from '../../office/record-words.ja.ts'
import type { NoticeSummary } from '../rules.ts'
import { SCRIPTS } from '../script.ts'
import { W } from '../words.ja.ts'
import { alikeSection, capacityForm } from './charts.ts'
import { desk, type DeskView } from './desk.ts'
import { personLine, searchForm, todayTable, type PersonView, type TodayRow } from './search.ts'

export interface PatientView {
  person: PersonView
  notice: NoticeSummary
  /** `2026-04-01 手渡し`, newest effective notice of each recipient. */
  personNotice: string | null
  guardianNotice: string | null
  guardianNeeded: boolean
  /** A kiosk print that waits for somebody to say it was taken. */
  pendingNotice: string | null
  stops: { line: string; id: string; mayPrint: boolean; undoable: boolean; provisional: boolean }[]
  /** The gate's answer today, in words. */
  missing: string[]
  provision: string | null
  /** The other track, where the hospital has a notice of it too: given and recorded apart. */
  second: { track: Track; notice: NoticeSummary } | null
  templateText: string | null
  capacityUnable: boolean
  /** Under protection (支援措置): nothing goes to the address of the chart. */
  guarded: boolean
  alike: PersonView[]
  /** Of the script on the screen, and of the paper where it exists. */
  language: NoticeLanguage
  /** Somebody else has the same kana. */
  namesake: boolean
  today: TodayRow[]
}

export function deathWords(day: string): string {
  return day === DEATH_DAY_UNKNOWN ? W.deceasedSometime : W.deceased(day)
}

/** `unborn`: without the birth date, where the person is to say it. */
export function personCard(person: PersonView, state: Markup | '', unborn = false): Markup {
  return html`<section class="card" aria-label="${W.patient}">
    <p class="card__kana"><strong>${person.kana}</strong></p>
    <p>${unborn ? `${person.kanji} ・ ${W.sex[person.sex]}` : personLine(person)}</p>
    <p>${W.number} ${person.number}</p>
    ${person.deceasedOn ? html`<p class="state">${deathWords(person.deceasedOn)}</p>` : ''}${state}
  </section>`
}

function noticeWords(summary: NoticeSummary['person'], detail: string | null): string {
  const word = { none: W.noticeNone, pending: W.noticePending, done: W.noticeDone, unable: W.noticeNone }[
    summary
  ]
  return `${word}${summary === 'unable' ? W.unableMark : ''}${detail ? ` ${detail}` : ''}`
}

function stateLines(view: PatientView): Markup {
  const active = view.stops.length > 0
  const notice = view.guardianNeeded
    ? html`${W.recipientPerson} ${noticeWords(view.notice.person, view.personNotice)}<br />${W.recipientGuardian}
        ${noticeWords(view.notice.guardian, view.guardianNotice)}`
    : noticeWords(view.notice.person, view.personNotice)
  return summaryList(
    [
      { term: W.notice, detail: html`<span class="state">${notice}</span>` },
      ...(view.second
        ? [
            {
              term: W.noticeOf[view.second.track],
              detail: html`<span class="state"
                >${view.guardianNeeded ? html`${W.recipientPerson} ${noticeWords(view.second.notice.person, null)}<br />${W.recipientGuardian} ${noticeWords(view.second.notice.guardian, null)}` : noticeWords(view.second.notice.person, null)}</span
              >`,
            },
          ]
        : []),
      {
        term: W.stop,
        detail: html`<span class="state" ${active ? html` data-alert` : ''}
            >${active ? W.stopActive : W.stopNone}</span
          >${view.stops.map((stop) => html`<br />${stop.line}`)}`,
      },
      {
        term: W.missing,
        detail:
          view.missing.length > 0
            ? view.missing.map((line) => html`<span class="state">${line}</span><br />`)
            : W.missingNone,
      },
      ...(view.provision ? [{ term: W.provision, detail: view.provision }] : []),
    ].map((row) => ({ ...row, detail: html`${row.detail}` })),
  )
}

interface NoticeButton {
  to: 'person' | 'guardian' | 'both' | 'unable'
  text: string
  kind: 'primary' | 'secondary'
  key?: 'F2'
  method?: 'post'
  /** Omitted: the track that this agent gives for. */
  track?: Track
}

function noticeButton(csrf: string, { person, language }: PatientView, view: NoticeButton): Markup {
  const { to, text, kind, key } = view
  const { handle } = person
  const keys = key ? { key, accessKey: 'n' } : {}
  return html`<form method="post" action="/patient/${handle}/notice">
    ${hiddenField('csrf', csrf)}${hiddenField('lang', language)}${view.method ? hiddenField('method', view.method) : ''}${view.track ? hiddenField('track', view.track) : ''}${button({ text, kind, name: 'to', value: to, ...keys })}
  </form>`
}

/** Everybody who must hear of it has, and nothing asks for a new notice. */
function complete(view: PatientView): boolean {
  const both = view.notice.person === 'done' && (!view.guardianNeeded || view.notice.guardian === 'done')
  return both && view.missing.length === 0
}

function actions(csrf: string, view: PatientView): Markup {
  const { handle } = view.person
  const [stop] = view.stops
  const again = complete(view)
  const first: NoticeButton = {
    to: view.guardianNeeded ? 'both' : 'person',
    text: view.guardianNeeded ? W.noticeBoth : again ? W.noticeGivenAgain : W.noticeGiven,
    kind: again ? 'secondary' : 'primary',
    key: 'F2',
  }
  return html`<div class="form-row">
      ${view.templateText && !stop && !view.person.deceasedOn ? noticeButton(csrf, view, first) : ''}
      ${view.second && !stop && !view.person.deceasedOn ? noticeButton(csrf, view, { to: first.to, text: W.noticeGivenOf[view.second.track], kind: 'secondary', track: view.second.track }) : ''}
      ${stop ? '' : linkButton({ text: W.wantsStop, kind: 'danger', href: `/patient/${handle}/stop`, key: 'F4', accessKey: 's' })}
      ${stop?.mayPrint ? linkButton({ text: W.printSlip, href: `/patient/${handle}/slip/${stop.id}`, key: 'F8', accessKey: 'p' }) : ''}
      ${stop?.provisional ? stopForm(csrf, handle, 'confirm-stop', stop.id, W.confirmStop) : ''}
      ${stop ? stopForm(csrf, handle, 'erasure', stop.id, W.askErasure) : ''}
      ${stop ? linkButton({ text: W.withdraw, href: `/patient/${handle}/withdraw` }) : ''}
    </div>
    ${view.templateText && !view.person.deceasedOn ? others(csrf, view, stop !== undefined) : ''}`
}

function stopForm(csrf: string, handle: string, path: string, stop: string, text: string): Markup {
  return html`<form method="post" action="/patient/${handle}/${path}">
    ${hiddenField('csrf', csrf)}${button({ text, kind: 'secondary', name: 'stop', value: stop })}
  </form>`
}

function others(csrf: string, view: PatientView, stopped: boolean): Markup {
  const { handle } = view.person
  return html`<details>
    <summary>${W.noticeOther}</summary>
    <div class="form-row">
      ${view.guardianNeeded ? html`${noticeButton(csrf, view, { to: 'person', text: W.noticePersonOnly, kind: 'secondary' })}${noticeButton(csrf, view, { to: 'guardian', text: W.noticeGuardianOnly, kind: 'secondary' })}` : ''}
      ${stopped ? noticeButton(csrf, view, { to: 'person', text: W.noticeGiven, kind: 'secondary' }) : ''}
      ${view.guarded ? '' : noticeButton(csrf, view, { to: view.guardianNeeded ? 'both' : 'person', text: W.noticePosted, kind: 'secondary', method: 'post' })}
      ${noticeButton(csrf, view, { to: 'unable', text: W.noticeUnable, kind: 'secondary' })}
      ${view.capacityUnable ? '' : capacityForm(csrf, handle, false)}
      ${view.pendingNotice ? html`<form method="post" action="/patient/${handle}/confirm-notice">${hiddenField('csrf', csrf)}${button({ text: W.confirmKiosk, kind: 'secondary', name: 'notice', value: view.pendingNotice })}</form>` : ''}
    </div>
    <p class="field__hint">${W.noticeUnableHint}</p>
    ${view.guarded ? html`<p class="state">${W.protectedNoPost}</p>` : html`<p class="field__hint">${W.noticePostedHint}</p>`}
  </details>`
}

function whole(text: string | null): Markup {
  if (!text) return banner({ kind: 'warning', label: W.warningLabel, text: W.noTemplate })
  return html`<details>
    <summary>${W.noticeWhole}</summary>
    ${text.split(/\n+/).map((line) => html`<p>${line}</p>`)}
  </details>`
}

function heading(view: PatientView): string {
  if (view.stops.length > 0) return W.stopAlready
  if (view.person.deceasedOn) return W.deceasedTitle
  return complete(view) ? W.noticeComplete : W.readAloud
}

function lead(view: PatientView): Markup {
  const [stop] = view.stops
  if (stop) return banner({ kind: 'stop', label: W.stopLabel, text: stop.line, more: W.noticeStopped })
  if (view.person.deceasedOn) return html`<p>${W.deceasedLead}</p>`
  return html`<p>${view.namesake ? html`<strong>${W.namesakeWarn}</strong> ` : ''}${W.confirmIdentity}</p>
    ${script(view.language)}${languages(view)}`
}

function script(language: NoticeLanguage): Markup {
  const { tag, sentences } = SCRIPTS[language]
  return html`<blockquote class="quote" lang="${tag}" ${language === 'ja-easy' ? html` data-readings` : ''}>
    <p>${sentences.map((sentence) => html`${withReadings(sentence)} `)}</p>
  </blockquote>`
}

function languages(view: PatientView): Markup {
  const path = `/patient/${view.person.handle}`
  return html`<nav aria-label="${W.languages}">
    <ul class="links">
      ${NOTICE_LANGUAGES.map(
        (language) =>
          html`<li>
            <a
              href="${language === 'ja' ? path : `${path}?lang=${language}`}"
              lang="${SCRIPTS[language].tag}"
              ${language === view.language ? html` aria-current="true"` : ''}
              >${SCRIPTS[language].name}</a
            >
          </li>`,
      )}
    </ul>
  </nav>`
}

export function patientPage(around: DeskView, view: PatientView): Markup {
  return desk(
    around,
    heading(view),
    html`<div class="two">
      <div class="two__side">
        ${searchForm(around.csrf, true)} ${personCard(view.person, stateLines(view))}
      </div>
      <div class="two__main">
        <h1>${heading(view)}</h1>
        ${lead(view)}
        ${
          view.capacityUnable
            ? html`<p class="state">${W.capacityNow}</p>
                ${capacityForm(around.csrf, view.person.handle, true)}`
            : ''
        }
        ${actions(around.csrf, view)}
        ${view.stops.length > 0 ? alikeSection(around.csrf, view.person.handle, view.alike) : ''}
        ${around.role === 'privacy' ? linkButton({ text: RECORD.open, href: `/patient/${view.person.handle}/record`, kind: 'secondary' }) : ''}
        ${whole(view.templateText)} ${todayTable(around.csrf, view.today)}
      </div>
    </div>`,
  )
}
