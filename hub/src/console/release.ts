import { secretMatches } from '@kakehashi/protocol/secret-hash'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Hono } from 'hono'
import { activeAccount } from '../accounts/store.ts'
import { aroundOf, door } from './door.ts'
import { ANSWERS, releasePage, releasesPage } from './pages/release.ts'
import type { ConsoleEnv, ConsoleParts } from './parts.ts'
import { accountStore } from './sign-in.ts'
import { W } from './words.ja.ts'

const COMMENT_MAX = 1000

export function releaseRoutes(app: Hono<ConsoleEnv>, parts: ConsoleParts): void {
  const { releases } = parts
  const enter = door(parts, 'releases')

  app.get('/releases', enter, async (c) => c.html(releasesPage(aroundOf(c, parts), await releases.list())))

  app.get('/releases/:release', enter, async (c) => {
    const file = await releases.read(c.req.param('release'), c.get('account'))
    if (!file) return c.notFound()
    return c.html(releasePage(aroundOf(c, parts), file, { comment: '', errors: [] }))
  })

  app.post('/releases/:release/vote', enter, async (c) => {
    const account = c.get('account')
    const file = await releases.read(c.req.param('release'), account)
    if (!file) return c.notFound()
    const form = await c.req.parseBody()
    const answer = ANSWERS.find((one) => one === form['answer'])
    const comment = String(form['comment'] ?? '')
      .trim()
      .slice(0, COMMENT_MAX)
    const errors: FieldError[] = []
    if (!answer) errors.push({ field: 'answer', text: W.voteChoose })
    if (answer && answer !== 'approve' && comment === '')
      errors.push({ field: 'comment', text: W.voteReason })
    // Step-up: a vote takes the passphrase again, whoever sits at the open screen.
    const own = await activeAccount(accountStore(parts).db, account.account)
    if (!own || !(await secretMatches(String(form['passphrase'] ?? ''), own.passphrase)))
      errors.push({ field: 'passphrase', text: W.passphraseWrong })
    if (!answer || errors.length > 0) {
      const view = { comment, errors, ...(answer ? { answer } : {}) }
      return c.html(releasePage(aroundOf(c, parts), file, view), 422)
    }
    await releases.vote({
      release: file.release,
      by: account,
      digest: String(form['digest'] ?? ''),
      answer,
      comment,
    })
    c.get('session').message = W.voted
    return c.redirect(`/releases/${encodeURIComponent(file.release)}`, 303)
  })
}
