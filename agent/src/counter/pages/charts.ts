import { button } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'
import { personLine, type PersonView } from './search.ts'

/** Asks about charts that look like the same person's; says nothing when there are none. */
export function alikeSection(csrf: string, handle: string, alike: readonly PersonView[]): Markup {
  if (alike.length === 0) return html``
  return html`<section>
    <h2>${W.alikeTitle}</h2>
    <p>${W.alikeLead}</p>
    ${alike.map(
      (other) =>
        html`<p>${other.kana} ・ ${personLine(other)} ・ ${W.number} ${other.number}</p>
          <div class="form-row">
            ${answer(csrf, handle, other, 'same', W.alikeSame)}${answer(csrf, handle, other, 'unsure', W.alikeUnsure)}
          </div>`,
    )}
  </section>`
}

function answer(csrf: string, handle: string, other: PersonView, value: string, text: string): Markup {
  return html`<form method="post" action="/patient/${handle}/same">
    ${hiddenField('csrf', csrf)}${hiddenField('other', other.handle)}${button({
      text: html`${text}<span class="hide"> ${other.number}</span>`,
      kind: 'secondary',
      name: 'answer',
      value,
    })}
  </form>`
}

/** Who cannot judge for themselves is asked about anew at every later visit. */
export function capacityForm(csrf: string, handle: string, unable: boolean): Markup {
  return html`<form method="post" action="/patient/${handle}/capacity">
    ${hiddenField('csrf', csrf)}${button({
      text: unable ? W.capacityAble : W.capacityUnable,
      kind: 'secondary',
      name: 'capacity',
      value: unable ? 'able' : 'unable',
    })}
  </form>`
}
