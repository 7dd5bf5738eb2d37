import { readStopToken } from '@kakehashi/protocol/stop-handle'
import type { Context, Hono } from 'hono'
import { checkPage, donePage, numberPage, REQUESTERS, wishOf, type Requester, type Wish } from './ask.ts'
import type { Language } from './layout.ts'
import { busyPage, type AroundOf } from './number-pages.ts'

export interface StopByToken {
  token: string
  requester: Requester
  erasureAsked: boolean
}

export interface TokenStopParts {
  /** Sealed to the vault and committed when this returns; equal for known and unknown tokens. `null`: too many now. */
  takeStop(asked: StopByToken, c: Context): Promise<{ receipt: string } | null>
}

const RECEIPT = /^[A-Z0-9][A-Z0-9-]{3,39}$/

/** With the number on the paper: two pages of questions, and the one that says it was taken. */
export function addTokenPages(app: Hono, parts: TokenStopParts, language: Language, around: AroundOf): void {
  app.get(`/${language}/number`, (c) =>
    c.html(
      numberPage(around(language, '/number'), {
        token: '',
        wish: 'stop',
        requester: undefined,
        errors: [],
      }),
    ),
  )
  app.post(`/${language}/number`, async (c) => {
    const { token, who, wish } = await answers(c)
    const carried = { token, who, wish }
    return c.html(
      numberPage(around(language, '/number', carried), { token, wish, requester: who, errors: [] }),
    )
  })

  app.post(`/${language}/check`, async (c) => {
    const { token, who, wish } = await answers(c)
    const read = readStopToken(token)
    const requester = REQUESTERS.find((one) => one === who)
    if (!read || !requester) {
      const errors = [...(read ? [] : ['token' as const]), ...(requester ? [] : ['who' as const])]
      const page = numberPage(around(language, '/number', { token, who, wish }), {
        token,
        wish,
        requester: who,
        errors,
      })
      return c.html(page, 422)
    }
    const carried = { token: read, who: requester, wish }
    return c.html(
      checkPage(around(language, '/check', carried), { token: read, wish, requester, erasureError: false }),
    )
  })
  takePages(app, parts, language, around)
}

function takePages(app: Hono, parts: TokenStopParts, language: Language, around: AroundOf): void {
  app.post(`/${language}/stop`, async (c) => {
    const { token, who, wish, erasure } = await answers(c)
    const read = readStopToken(token)
    const requester = REQUESTERS.find((one) => one === who)
    if (!read || !requester) return c.redirect(`/${language}/number`, 303)
    if (erasure !== 'yes' && erasure !== 'no') {
      const carried = { token: read, who: requester, wish }
      const page = checkPage(around(language, '/check', carried), {
        token: read,
        wish,
        requester,
        erasureError: true,
      })
      return c.html(page, 422)
    }
    const taken = await parts.takeStop({ token: read, requester, erasureAsked: erasure === 'yes' }, c)
    if (taken) return c.redirect(`/${language}/received/${taken.receipt}`, 303)
    return c.html(busyPage(around(language, '')), 429)
  })

  app.get(`/${language}/received/:receipt`, (c) => {
    const receipt = c.req.param('receipt')
    if (!RECEIPT.test(receipt)) return c.notFound()
    return c.html(donePage(around(language, `/received/${receipt}`), receipt))
  })
}

async function answers(c: Context): Promise<{ token: string; who: string; wish: Wish; erasure: string }> {
  const form = await c.req.parseBody()
  const text = (name: string) => {
    const value = form[name]
    return typeof value === 'string' ? value.slice(0, 64) : ''
  }
  return { token: text('token'), who: text('who'), wish: wishOf(text('wish')), erasure: text('erasure') }
}
