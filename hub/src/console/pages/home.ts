import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'
import { room, type RoomView } from './room.ts'

export interface Todo {
  text: string
  href: string
}

/** A list of work, not a dashboard. */
export function homePage(around: RoomView, todo: readonly Todo[]): Markup {
  return room(
    around,
    W.home,
    html`<h1>${todo.length === 0 ? W.home : W.homeCount(todo.length)}</h1>
      ${
        todo.length === 0
          ? html`<p>${W.homeNone}</p>`
          : html`<ul class="rows">
              ${todo.map(
                (one) =>
                  html`<li>
                    <a href="${one.href}"><strong>${one.text}</strong></a>
                  </li>`,
              )}
            </ul>`
      }`,
  )
}
