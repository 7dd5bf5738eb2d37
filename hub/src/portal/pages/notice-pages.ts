import { linkButton } from '@kakehashi/ui/button'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { ITEM_CLASSES } from '@kakehashi/protocol/rules/state'
import type { Hono } from 'hono'
import type { NoticeFacts } from '../notice.ts'
import { LANGUAGES, layout, type Around, type Language } from './layout.ts'
import type { AroundOf, Hospital } from './number-pages.ts'

export interface NoticeParts {
  hospitals(): Promise<Hospital[]>
  /** `null`: no hospital that takes part. */
  noticeOf(facility: string): Promise<{ name: string; notice: NoticeFacts | null } | null>
}

function listPage(around: Around, hospitals: readonly Hospital[]): Markup {
  const w = LANGUAGES[around.language]
  return layout(
    around,
    w.noticeTitle,
    html`<h1>${r(w.noticeTitle)}</h1>
      <p>${r(w.noticeLead)}</p>
      ${hospitals.length === 0 ? html`<p>${r(w.noticeNone)}</p>` : ''}
      <ul class="links">
        ${hospitals.map(
          ({ facility, name }) =>
            html`<li>
              <a href="/${around.language}/notice/${encodeURIComponent(facility)}" lang="ja">${name}</a>
            </li>`,
        )}
      </ul>`,
  )
}

function noticePage(around: Around, name: string, notice: NoticeFacts | null): Markup {
  const w = LANGUAGES[around.language]
  const { provider } = notice ?? {}
  const items = ITEM_CLASSES.map((one, at) => ({ one, text: w.itemClasses[at] ?? one }))
  return layout(
    around,
    w.noticeTitle,
    html`<h1>${r(w.noticeTitle)}</h1>
      <p lang="ja"><strong>${name}</strong></p>
      <p>${r(w.noticeLead)}</p>
      ${
        notice && provider
          ? summaryList([
              {
                term: r(w.noticeProvider),
                detail: html`<span lang="ja"
                  >${provider.name}<br />${provider.address}<br />${provider.representative}</span
                >`,
              },
              { term: r(w.noticeWait), detail: r(w.noticeDays(notice.waitDays)) },
            ])
          : ''
      }
      ${notice?.tracks.map(
        ({ track, items: provided, filedOn }) =>
          html`<h2>${r(track === 'ANON' ? w.trackAnon : w.trackPseudo)}</h2>
            ${summaryList([
              {
                term: r(w.noticeItems),
                detail: html`<ul>
                  ${items
                    .filter(({ one }) => provided.includes(one))
                    .map(({ text }) => html`<li>${r(text)}</li>`)}
                </ul>`,
              },
              {
                term: r(w.noticeFiled),
                detail: html`<time datetime="${filedOn}">${filedOn}</time>`,
              },
            ])}`,
      )}
      ${linkButton({ text: r(w.back), kind: 'secondary', href: `/${around.language}/notice` })}`,
  )
}

/** What each hospital filed of its notice. It says that the paper governs: the declaration carries no text. */
export function addNoticePages(app: Hono, parts: NoticeParts, language: Language, around: AroundOf): void {
  app.get(`/${language}/notice`, async (c) =>
    c.html(listPage(around(language, '/notice'), await parts.hospitals())),
  )
  app.get(`/${language}/notice/:facility`, async (c) => {
    const facility = c.req.param('facility') ?? ''
    const found = await parts.noticeOf(facility)
    if (!found) return c.notFound()
    const here = around(language, `/notice/${encodeURIComponent(facility)}`)
    return c.html(noticePage(here, found.name, found.notice))
  })
}
