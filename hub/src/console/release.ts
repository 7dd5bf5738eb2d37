import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Hono } from 'hono'
import { voteOnRelease } from '../release/flow.ts'
import { releaseList } from '../release/read.ts'
import { ReleaseRefused } from '../release/transition.ts'
import { aroundOf, door } from './door.ts'
import { ANSWERS, releasePage, releasesPage, type VoteView } from './pages/release.ts'
import type { ConsoleEnv, ConsoleParts } from './parts.ts'
import { releaseFile } from './releases.ts'
import { releaseStore } from './stores.ts'
import { W } from './words.ja.ts'

const REASON_MAX = 1000

export function releaseRoutes(app: Hono<ConsoleEnv>, parts: ConsoleParts): void {
  const enter = door(parts, 'releases')

  app.get('/releases', enter, async (c) =>
    c.html(releasesPage(aroundOf(c, parts), await releaseList(parts.ops.db))),
  )

  app.get('/releases/:release', enter, async (c) => {
    const file = await releaseFile(parts, c.req.param('release'), c.get('account'))
    if (!file) return c.notFound()
    return c.html(releasePage(aroundOf(c, parts), file, { reason: '', errors: [] }))
  })

  app.post('/releases/:release/vote', enter, async (c) => {
    const { account } = c.get('account')
    const file = await releaseFile(parts, c.req.param('release'), c.get('account'))
    if (!file) return c.notFound()
    if (file.mayNot !== null || file.voting === null) throw new ReleaseRefused(file.mayNot ?? W.notNow)
    const form = await c.req.parseBody()
    const view = read(form)
    // A code is used up only by a form that is complete.
    if (view.errors.length === 0) view.errors.push(...(await c.get('stepUp')(form)))
    if (!view.answer || !view.conflict || view.errors.length > 0)
      return c.html(releasePage(aroundOf(c, parts), file, view), 422)
    await voteOnRelease(releaseStore(parts), file.release, account, {
      stage: file.voting.stage,
      digest: String(form['digest'] ?? ''),
      answer: view.answer,
      conflict: view.conflict === 'yes',
      reason: view.reason,
    })
    c.get('session').message = W.voted
    return c.redirect(`/releases/${encodeURIComponent(file.release)}`, 303)
  })
}

function read(form: Record<string, unknown>): VoteView {
  const answer = ANSWERS.find((one) => one === form['answer'])
  const conflict = (['no', 'yes'] as const).find((one) => one === form['conflict'])
  const reason = String(form['reason'] ?? '')
    .trim()
    .slice(0, REASON_MAX)
  const errors: FieldError[] = []
  if (!conflict) errors.push({ field: 'conflict', text: W.conflictChoose })
  if (!answer) errors.push({ field: 'answer', text: W.voteChoose })
  if (answer === 'reject' && reason === '') errors.push({ field: 'reason', text: W.voteReason })
  return { ...(answer ? { answer } : {}), ...(conflict ? { conflict } : {}), reason, errors }
}
