import { linkButton } from '@kakehashi/ui/button'
import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'
import { bare } from './desk.ts'

/** What happened, why, what to do next. */
export function troublePage(facilityName: string, title: string, text: string): Markup {
  return bare(
    facilityName,
    title,
    html`<h1>${title}</h1>
      <p>${text}</p>
      ${linkButton({ text: W.home, href: '/' })}`,
  )
}
