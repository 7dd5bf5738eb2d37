import { readStopToken } from '@kakehashi/protocol/stop-handle'
import { BASE_CSS, PRINT_CSS, serveAssets } from '@kakehashi/ui/assets'
import { linkButton } from '@kakehashi/ui/button'
import { asPage, fromOwnPage, isForm, pageHeaders } from '@kakehashi/ui/guard'
import { html, withReadings } from '@kakehashi/ui/markup'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { addErasePage } from './erase-page.ts'
import { addNumberPages, type NumberStopParts } from './number-pages.ts'
import {
  isLanguage,
  LANGUAGES,
  languageFor,
  layout,
  type Around,
  type Language,
  type OperatorContact,
} from './layout.ts'
import { addNoticePages, type NoticeParts } from './notice-pages.ts'
import { addQuestionPages, type QuestionParts } from './question-pages.ts'
import { startPage } from './start.ts'
import { addStatePages, type StateParts } from './state-pages.ts'
import { addTokenPages, type TokenStopParts } from './token-pages.ts'

export interface PortalPagesParts
  extends TokenStopParts, NumberStopParts, StateParts, QuestionParts, NoticeParts {
  operator: OperatorContact
  https: boolean
}

/** A question of a thousand letters, each as twelve. */
const FORM_BYTES_MAX = 16 * 1024

function preferred(c: Context): Language {
  return languageFor(c.req.header('accept-language') ?? '')
}

export function portalPages(parts: PortalPagesParts): Hono {
  const app = new Hono()
  const around = (language: Language, rest: string, carried?: Record<string, string>): Around => ({
    language,
    operator: parts.operator,
    pathIn: (other) => `/${other}${rest}`,
    ...(carried ? { carried } : {}),
  })

  app.use(pageHeaders({ script: false, https: parts.https }))
  serveAssets(app, [BASE_CSS, PRINT_CSS])
  app.use(bodyLimit({ maxSize: FORM_BYTES_MAX, onError: (c) => c.text('', 413) }))
  app.use(async (c, next) => {
    if (!asPage(c.req.raw)) return c.notFound()
    // No cookie, so no authority to borrow; a form of another site is refused all the same.
    if (c.req.method !== 'POST') return next()
    return isForm(c.req.raw) && fromOwnPage(c.req.raw, 'accept') ? next() : c.notFound()
  })

  app.get('/', (c) => c.html(startPage(around(preferred(c), ''), null)))
  app.get('/q/:token', (c) => {
    const token = readStopToken(c.req.param('token'))
    return c.html(startPage(around(preferred(c), token ? `/q/${token}` : ''), token))
  })
  for (const language of Object.keys(LANGUAGES).filter((one) => isLanguage(one))) {
    languagePages(app, language, around)
    addTokenPages(app, parts, language, around)
    addNumberPages(app, parts, language, around)
    addErasePage(app, language, around)
    addStatePages(app, parts, language, around)
    addQuestionPages(app, parts, language, around)
    addNoticePages(app, parts, language, around)
  }

  const trouble = (c: Context, which: 'notFound' | 'broken') => {
    const named = c.req.path.split('/')[1] ?? ''
    const language = isLanguage(named) ? named : preferred(c)
    const w = LANGUAGES[language]
    const [title, text] =
      which === 'notFound' ? [w.notFoundTitle, w.notFoundText] : [w.brokenTitle, w.brokenText]
    const main = html`<h1>${withReadings(title)}</h1>
      <p>${withReadings(text)}</p>
      ${linkButton({ text: withReadings(w.first), href: `/${language}` })}`
    return c.html(layout(around(language, ''), title, main), which === 'notFound' ? 404 : 500)
  }
  app.notFound((c) => trouble(c, 'notFound'))
  app.onError((_error, c) => trouble(c, 'broken'))
  return app
}

function languagePages(
  app: Hono,
  language: Language,
  around: (language: Language, rest: string, carried?: Record<string, string>) => Around,
): void {
  app.get(`/${language}`, (c) => c.html(startPage(around(language, ''), null)))
  app.get(`/${language}/q/:token`, (c) => {
    const token = readStopToken(c.req.param('token'))
    return c.html(startPage(around(language, token ? `/q/${token}` : ''), token))
  })
}
