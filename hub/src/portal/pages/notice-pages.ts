import { linkButton } from '@kakehashi/ui/button'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { ITEM_CLASSES } from '@kakehashi/protocol/rules/state'
import type { Hono } from 'hono'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { blocksOf } from '@kakehashi/protocol/notice-text'
import type { HospitalNotice } from '../notice.ts'
import type { NoticeWords } from '../notice-words.ts'
import { LANGUAGES, layout, type Around, type Language } from './layout.ts'
import type { AroundOf, Hospital } from './number-pages.ts'

export interface NoticeParts {
  hospitals(): Promise<Hospital[]>
  /** `null`: no hospital that takes part. */
  noticeOf(facility: string, language: NoticeLanguage): Promise<HospitalNotice | null>
}

const PUBLISHED_IN: Record<Language, NoticeLanguage> = {
  ja: 'ja',
  easy: 'ja-easy',
  en: 'en',
  'zh-hans': 'zh-Hans',
  'zh-hant': 'zh-Hant',
  ko: 'ko',
  vi: 'vi',
  pt: 'pt-BR',
  tl: 'tl',
  ne: 'ne',
}

/** The hospital's own words to the letter, with a word on their language where it is not the reader's. */
function wordsPart(around: Around, facility: string, words: NoticeWords): Markup {
  const w = LANGUAGES[around.language]
  const own = words.language === PUBLISHED_IN[around.language]
  const easy = words.language === 'ja-easy'
  const said = (text: string) => (easy ? r(text) : text)
  const { title, blocks } = blocksOf(words.text)
  return html`<h3>${r(w.noticeWords)}</h3>
    ${own ? '' : html`<p>${r(w.noticeOnlyJapanese)}</p>`}
    <div class="words" lang="${easy ? 'ja' : words.language}">
      <p><strong>${said(title)}</strong></p>
      ${blocks.map(
        ({ heading, lines }) =>
          html`${heading === null ? '' : html`<h4>${said(heading)}</h4>`}
            <p>${lines.map((line, at) => html`${at > 0 ? html`<br />` : ''}${said(line)}`)}</p>`,
      )}
    </div>
    ${words.language === 'ja' ? '' : html`<p><a href="/ja/notice/${encodeURIComponent(facility)}">${r(w.noticeJapanese)}</a></p>`}`
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

function noticePage(around: Around, facility: string, { name, notice, words }: HospitalNotice): Markup {
  const w = LANGUAGES[around.language]
  const { provider } = notice ?? {}
  const items = ITEM_CLASSES.map((one, at) => ({ one, text: w.itemClasses[at] ?? one }))
  return layout(
    around,
    w.noticeTitle,
    html`<h1>${r(w.noticeTitle)}</h1>
      <p lang="ja"><strong>${name}</strong></p>
      <p>${r(w.noticeLead)}${words.length === 0 ? r(` ${w.noticeOnPaper}`) : ''}</p>
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
            ])}
            ${words.filter((one) => one.track === track).map((one) => wordsPart(around, facility, one))}`,
      )}
      ${linkButton({ text: r(w.back), kind: 'secondary', href: `/${around.language}/notice` })}`,
  )
}

/** What each hospital filed of its notice, and its words. It says that the paper governs. */
export function addNoticePages(app: Hono, parts: NoticeParts, language: Language, around: AroundOf): void {
  app.get(`/${language}/notice`, async (c) =>
    c.html(listPage(around(language, '/notice'), await parts.hospitals())),
  )
  app.get(`/${language}/notice/:facility`, async (c) => {
    const facility = c.req.param('facility') ?? ''
    const found = await parts.noticeOf(facility, PUBLISHED_IN[language])
    if (!found) return c.notFound()
    const here = around(language, `/notice/${encodeURIComponent(facility)}`)
    return c.html(noticePage(here, facility, found))
  })
}
