import { readStopToken } from '@kakehashi/protocol/stop-handle'
import { BASE_CSS, PRINT_CSS, serveAssets } from '@kakehashi/ui/assets'
import { linkButton } from '@kakehashi/ui/button'
import { fromOwnPage, isForm, pageHeaders } from '@kakehashi/ui/guard'
import { html, withReadings } from '@kakehashi/ui/markup'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { checkPage, donePage, numberPage, REQUESTERS, type Requester } from './ask.ts'
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
import { startPage } from './start.ts'

export interface StopByToken {
  token: string
  requester: Requester
  erasureAsked: boolean
}

export interface PortalPagesParts extends NumberStopParts {
  operator: OperatorContact
  https: boolean
  /** Sealed to the vault and committed when this returns; equal for known and unknown tokens. `null`: too many now. */
  takeStop(asked: StopByToken, from: Request): Promise<{ receipt: string } | null>
}

const FORM_BYTES_MAX = 4 * 1024
const RECEIPT = /^[A-Z0-9][A-Z0-9-]{3,39}$/

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
    languagePages(app, parts, language, around)
    addNumberPages(app, parts, language, around)
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
  parts: PortalPagesParts,
  language: Language,
  around: (language: Language, rest: string, carried?: Record<string, string>) => Around,
): void {
  const w = LANGUAGES[language]

  app.get(`/${language}`, (c) => c.html(startPage(around(language, ''), null)))
  app.get(`/${language}/q/:token`, (c) => {
    const token = readStopToken(c.req.param('token'))
    return c.html(startPage(around(language, token ? `/q/${token}` : ''), token))
  })
  app.get(`/${language}/number`, (c) =>
    c.html(numberPage(around(language, '/number'), { token: '', requester: undefined, errors: [] })),
  )
  app.post(`/${language}/number`, async (c) => {
    const { token, who } = await answers(c)
    const carried = { token, who }
    return c.html(numberPage(around(language, '/number', carried), { token, requester: who, errors: [] }))
  })

  app.post(`/${language}/check`, async (c) => {
    const { token, who } = await answers(c)
    const read = readStopToken(token)
    const requester = REQUESTERS.find((one) => one === who)
    if (!read || !requester) {
      const errors = [...(read ? [] : ['token' as const]), ...(requester ? [] : ['who' as const])]
      const page = numberPage(around(language, '/number', { token, who }), { token, requester: who, errors })
      return c.html(page, 422)
    }
    const carried = { token: read, who: requester }
    return c.html(
      checkPage(around(language, '/check', carried), { token: read, requester, erasureError: false }),
    )
  })

  app.post(`/${language}/stop`, async (c) => {
    const { token, who, erasure } = await answers(c)
    const read = readStopToken(token)
    const requester = REQUESTERS.find((one) => one === who)
    if (!read || !requester) return c.redirect(`/${language}/number`, 303)
    if (erasure !== 'yes' && erasure !== 'no') {
      const carried = { token: read, who: requester }
      const page = checkPage(around(language, '/check', carried), {
        token: read,
        requester,
        erasureError: true,
      })
      return c.html(page, 422)
    }
    const taken = await parts.takeStop({ token: read, requester, erasureAsked: erasure === 'yes' }, c.req.raw)
    if (taken) return c.redirect(`/${language}/received/${taken.receipt}`, 303)
    const main = html`<h1>${withReadings(w.busyTitle)}</h1>
      <p>${withReadings(w.busyText)}</p>`
    return c.html(layout(around(language, ''), w.busyTitle, main), 429)
  })

  app.get(`/${language}/received/:receipt`, (c) => {
    const receipt = c.req.param('receipt')
    if (!RECEIPT.test(receipt)) return c.notFound()
    return c.html(donePage(around(language, `/received/${receipt}`), receipt))
  })
}

async function answers(c: Context): Promise<{ token: string; who: string; erasure: string }> {
  const form = await c.req.parseBody()
  const text = (name: string) => {
    const value = form[name]
    return typeof value === 'string' ? value.slice(0, 64) : ''
  }
  return { token: text('token'), who: text('who'), erasure: text('erasure') }
}
