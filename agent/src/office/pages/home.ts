import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { dayAndTime, longDate } from '@kakehashi/ui/dates'
import { inJapanese, type RefusalCode } from '@kakehashi/protocol/refusals'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import { W } from '../../counter/words.ja.ts'
import type { OfficeTask } from '../../register/office.ts'
import type { ListName } from '../lists.ts'
import { LIST_WORDS, O, TASK_WORDS } from '../words.ja.ts'

export interface HomeView {
  /** Without the names of persons: nothing here leads to one. */
  it: boolean
  closed: RefusalCode | null
  tasks: readonly OfficeTask[]
  /** `null`: still counting for the first time. */
  survey: {
    at: number
    people: number
    codes: readonly { code: RefusalCode | 'open'; people: number }[]
    lists: readonly { list: ListName; people: number }[]
  } | null
  soon16: number
  /** Earlier dates that wait for a second person. */
  backdates: number
}

export function homePage(around: DeskView, view: HomeView): Markup {
  return desk(
    around,
    O.title,
    html`<h1>${O.title}</h1>
      <p>${view.it ? O.leadIt : O.lead}</p>
      ${view.closed ? banner({ kind: 'stop', label: W.warningLabel, text: O.closedTitle, more: inJapanese(view.closed) }) : ''}
      ${backdates(view)} ${tasks(view.tasks)} ${counted(around, view)}
      <h2>${O.links}</h2>
      <div class="form-row">
        ${linkButton({ text: O.toSources, href: '/office/sources' })}${linkButton({ text: O.toDryRun, href: '/office/dry-run' })}${linkButton({ text: O.toImports, href: '/office/imports' })}${
          view.it
            ? ''
            : html`${linkButton({ text: O.toProvisions, href: '/office/provisions' })}${linkButton({ text: O.toEvidence, href: '/office/evidence' })}${linkButton({ text: O.toPapers, href: '/papers' })}`
        }
      </div>`,
  )
}

function tasks(all: readonly OfficeTask[]): Markup {
  return table({
    caption: O.tasks,
    columns: [...O.taskColumns],
    none: O.tasksNone,
    rows: all.map((task) => [
      TASK_WORDS[task.task],
      O.track[task.track],
      task.version === 0 ? '' : task.version,
      html`${longDate(task.by)}${task.overdue ? html`<br /><strong>${O.overdue}</strong>` : ''}`,
    ]),
  })
}

function backdates({ it, backdates: n }: HomeView): Markup {
  if (n === 0) return html``
  return html`<p class="state" data-alert>
    ${it ? O.backdatesWaiting(n) : html`<a href="/office/backdates">${O.backdatesWaiting(n)}</a>`}
  </p>`
}

function counted(around: DeskView, view: HomeView): Markup {
  const { survey } = view
  if (!survey) return html`<p role="status">${O.counting}</p>`
  const rows = (wanted: (list: ListName) => boolean) =>
    survey.lists
      .filter(({ list, people }) => wanted(list) && people > 0)
      .map(({ list, people }) => [
        view.it ? LIST_WORDS[list] : html`<a href="/office/list/${list}">${LIST_WORDS[list]}</a>`,
        people,
      ])
  const isOwed = (list: ListName) => list.startsWith('owed-') || list === 'ask-capacity' || list === 'overdue'
  return html`<p>${O.countedAt(dayAndTime(survey.at), survey.people)}</p>
    <form method="post" action="/office/count">
      ${hiddenField('csrf', around.csrf)}${button({ text: O.countAgain, kind: 'secondary' })}
    </form>
    ${table({ caption: O.owedTitle, columns: [...O.listColumns], none: O.listNone, rows: rows(isOwed) })}
    ${view.soon16 > 0 ? html`<p>${O.soon16(view.soon16)}</p>` : ''}
    ${table({ caption: O.standTitle, columns: [...O.listColumns], none: O.listNone, rows: rows((list) => !isOwed(list)) })}
    ${table({
      caption: O.reasonsTitle,
      columns: [...O.reasonColumns],
      none: O.listNone,
      rows: [
        ...survey.codes.map(({ code, people }) => [
          code === 'open' ? O.reasonOpen : inJapanese(code),
          people,
        ]),
        [O.reasonSum, survey.people],
      ],
    })}`
}
