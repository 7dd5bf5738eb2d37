import { linkButton } from '@kakehashi/ui/button'
import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'

/** Where people of the information systems department arrive: no patient is named here. */
export function itPage(around: DeskView): Markup {
  return desk(
    around,
    W.itTitle,
    html`<h1>${W.itTitle}</h1>
      <p>${W.itLead}</p>
      ${linkButton({ text: W.office, href: '/office' })}`,
  )
}
