import { BASE_CSS, ENHANCE_JS, PRINT_CSS } from '@kakehashi/ui/assets'
import { banner } from '@kakehashi/ui/banner'
import { button } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { frame } from '@kakehashi/ui/frame'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { ROLE_WORDS, type Role } from '../../staff/rules.ts'
import { W } from '../words.ja.ts'

/** What every page of the counter shows around its own content. */
export interface DeskView {
  facilityName: string
  staffName: string
  role: Role
  csrf: string
  online: boolean
  tasks: number
  message: { kind: 'done' | 'warning'; text: string; more?: string } | null
}

const STYLES = [{ href: BASE_CSS.path }, { href: PRINT_CSS.path, media: 'print' as const }]

export function bare(facilityName: string, title: string, main: Markup): Markup {
  return frame({
    lang: 'ja',
    title: `${title} - ${W.product}`,
    skip: SHARED_WORDS.skip,
    name: `${facilityName} ${W.product}`,
    main,
    styles: STYLES,
    script: ENHANCE_JS.path,
    width: 'narrow',
  })
}

export function desk(
  view: DeskView,
  title: string,
  main: Markup,
  more: readonly { href: string; media?: 'print' }[] = [],
): Markup {
  const aside = html`<div class="header__aside">
    <a href="/">${W.home}</a>${
      view.role === 'it'
        ? ''
        : html`<a href="/today">${W.todayPage}</a
            ><a href="/tasks">${view.tasks > 0 ? W.tasksWithCount(view.tasks) : W.tasks}</a
            ><a href="/papers">${W.papers}</a>`
    }${view.role === 'desk' ? '' : html`<a href="/office">${W.office}</a>`}<a href="/pin"
      >${view.staffName}<span class="hide"> ${ROLE_WORDS[view.role]} ${W.pinChange}</span></a
    >
    <form method="post" action="/sign-out">
      ${hiddenField('csrf', view.csrf)}${button({ text: W.switchUser, kind: 'plain', key: 'F9' })}
    </form>
  </div>`
  return frame({
    lang: 'ja',
    title: `${title} - ${W.product}`,
    skip: SHARED_WORDS.skip,
    name: `${view.facilityName} ${W.product}`,
    aside,
    main: html`${notices(view)}${main}`,
    styles: [...STYLES, ...more],
    script: ENHANCE_JS.path,
  })
}

function notices(view: DeskView): Markup {
  const { message } = view
  return html`<div class="no-print">
    ${view.online ? '' : banner({ kind: 'warning', label: W.noteLabel, text: W.offline, more: W.offlineMore })}${
      message
        ? banner({
            kind: message.kind,
            label: message.kind === 'done' ? W.doneLabel : W.warningLabel,
            text: message.text,
            live: true,
            ...(message.more ? { more: message.more } : {}),
          })
        : ''
    }
  </div>`
}
