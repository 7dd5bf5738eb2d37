import { BASE_CSS, ENHANCE_JS, PRINT_CSS } from '@kakehashi/ui/assets'
import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { frame } from '@kakehashi/ui/frame'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import type { Role } from '../../accounts/rules.ts'
import { mayEnter, type Room } from '../rules.ts'
import { W } from '../words.ja.ts'

export interface RoomView {
  operatorName: string
  staffName: string
  roles: readonly Role[]
  csrf: string
  message: string | null
}

const STYLES = [{ href: BASE_CSS.path }, { href: PRINT_CSS.path, media: 'print' as const }]
const DOORS: readonly [Exclude<Room, 'desk' | 'erasing'>, string][] = [
  ['home', '/'],
  ['stops', '/stops'],
  ['tickets', '/tickets'],
  ['releases', '/releases'],
  ['erasures', '/erasures'],
  ['linkage', '/linkage'],
  ['agents', '/agents'],
]

export function bare(operatorName: string, title: string, main: Markup): Markup {
  return frame({
    lang: 'ja',
    title: `${title} - ${W.product}`,
    skip: SHARED_WORDS.skip,
    name: `${operatorName} ${W.product}`,
    main,
    styles: STYLES,
    script: ENHANCE_JS.path,
    width: 'narrow',
  })
}

export function room(view: RoomView, title: string, main: Markup): Markup {
  const doors = DOORS.filter(([name]) => mayEnter(view.roles, name))
  return frame({
    lang: 'ja',
    title: `${title} - ${W.product}`,
    skip: SHARED_WORDS.skip,
    name: `${view.operatorName} ${W.product}`,
    aside: html`<div class="header__aside">
      <nav class="header__aside" aria-label="${W.menu}">
        ${doors.map(([name, href]) => html`<a href="${href}">${W[name]}</a> `)}
      </nav>
      <span>${view.staffName}（${view.roles.map((role) => W.role[role]).join('・')}）</span>
      <form method="post" action="/sign-out">
        ${hiddenField('csrf', view.csrf)}${button({ text: SHARED_WORDS.signOut, kind: 'plain' })}
      </form>
    </div>`,
    main: html`${view.message ? banner({ kind: 'done', label: W.doneLabel, text: view.message, live: true }) : ''}${main}`,
    styles: STYLES,
    script: ENHANCE_JS.path,
  })
}

/** What happened, why, what to do next. */
export function trouble(operatorName: string, title: string, text: string): Markup {
  return bare(
    operatorName,
    title,
    html`<h1>${title}</h1>
      <p>${text}</p>
      ${linkButton({ text: W.home, href: '/' })}`,
  )
}
