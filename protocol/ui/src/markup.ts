import { html, raw } from 'hono/html'

export { html }

/** What every component returns: escaped text, safe to put into another template. */
export type Markup = ReturnType<typeof html>

/** Text with readings, `{漢字|かんじ}`, as ruby; everything in it is escaped. */
export function withReadings(text: string): Markup {
  return html`${split(text).map(([base, reading]) =>
    reading === null ? base : html`<ruby>${base}<rt>${reading}</rt></ruby>`,
  )}`
}

/** The same text without its readings, for titles and attributes. */
export function withoutReadings(text: string): string {
  return split(text)
    .map(([base]) => base)
    .join('')
}

function split(text: string): [base: string, reading: string | null][] {
  return text
    .split(/(\{[^{}|]+\|[^{}|]+\})/)
    .filter((part) => part !== '')
    .map((part) => {
      const ruby = /^\{([^|]+)\|([^}]+)\}$/.exec(part)
      return ruby ? [ruby[1] ?? '', ruby[2] ?? ''] : [part, null]
    })
}

/** A bare attribute such as `checked`, or nothing. The name is ours, never input. */
export function flag(name: 'checked' | 'required' | 'autofocus' | 'hidden', on: boolean | undefined): Markup {
  return on ? html` ${raw(name)}` : html``
}
