import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { noticeId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { TemplateFact, Track } from '@kakehashi/protocol/rules/state'
import { longDate } from '@kakehashi/ui/dates'
import type { Hono } from 'hono'
import { publishedText } from '../register/notice-published.ts'
import { facilityStateOf, isProtected, noticeEvent } from '../register/read.ts'
import { oneOf } from './answers.ts'
import { noticePaperPage } from './pages/papers.ts'
import { hospitalLines, type CounterEnv, type CounterParts } from './parts.ts'
import { isScriptLanguage } from './script.ts'
import type { DeskSessions } from './session.ts'
import { newestTemplate } from './rules.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

const RECIPIENTS = {
  person: { recipients: ['person'], recipientState: 'able' },
  guardian: { recipients: ['guardian'], recipientState: 'able' },
  both: { recipients: ['person', 'guardian'], recipientState: 'able' },
  unable: { recipients: ['person'], recipientState: 'unable' },
} as const

function isRecipient(text: string): text is keyof typeof RECIPIENTS {
  return Object.hasOwn(RECIPIENTS, text)
}

export function noticeRoutes(app: Hono<CounterEnv>, parts: CounterParts, sessions: DeskSessions): void {
  const { context } = parts

  app.post('/patient/:handle/notice', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const form = await c.req.parseBody()
    const to = String(form['to'] ?? '')
    if (!isRecipient(to)) throw new Refused('REQUEST_MALFORMED', 'to')
    const method = oneOf(['handed', 'post'], form['method'] ?? 'handed')
    if (!method) throw new Refused('REQUEST_MALFORMED', 'method')
    if (method === 'post' && (await isProtected(context.store.db, patient))) {
      session.message = { kind: 'warning', text: W.protectedNoPost }
      return c.redirect(`/patient/${c.req.param('handle')}`, 303)
    }
    const withToken = to !== 'unable'
    const track = oneOf(['ANON', 'PSEUDO'], form['track'] ?? context.track)
    if (!track) throw new Refused('REQUEST_MALFORMED', 'track')
    const language = await paperLanguage(parts, track, String(form['lang'] ?? 'ja'))
    const done = await parts.register.recordNotice({
      patient,
      by: session.staff.id,
      withToken,
      method,
      track,
      language,
      ...RECIPIENTS[to],
    })
    session.message = {
      kind: 'done',
      text: W.noticeRecorded,
      ...(done.token ? { more: method === 'post' ? W.noticePostedMore : W.noticeRecordedMore } : {}),
    }
    if (!done.token) return c.redirect(`/patient/${c.req.param('handle')}`, 303)
    const { token, deliveredAt } = done
    const paper = sessions.keepPaper(session, { patient, token, deliveredAt, language, track })
    return c.redirect(`/paper/${paper}`, 303)
  })

  app.post('/patient/:handle/confirm-notice', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const notice = noticeId(String((await c.req.parseBody())['notice'] ?? ''))
    if ((await noticeEvent(context.store.db, notice))?.patient !== patient)
      throw new Refused('NOT_FOUND', 'notice')
    await parts.register.confirmNotice({ notice, by: session.staff.id })
    session.message = { kind: 'done', text: W.noticeRecorded }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })
}

/** The paper shows a number that is kept nowhere else: as long as its session lives, and no longer. */
export function paperRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context } = parts

  app.get('/paper/:paper', async (c) => {
    const session = c.get('session')
    const paper = session.papers.get(c.req.param('paper'))
    const facility = await facilityStateOf(context.store.db, context.facility)
    const template = newestTemplate(facility?.templates ?? [], paper?.track ?? context.track)
    const text = paper && template ? await noticeTextOf(parts, template, paper.language) : null
    if (!paper || !template || text === null) {
      session.message = { kind: 'warning', text: W.paperGone }
      return c.redirect('/', 303)
    }
    const { portalAddress, operatorPhone, facilityName } = parts.settings
    return c.html(
      noticePaperPage(await views.desk(session), {
        text,
        language: paper.language,
        version: template.version,
        token: paper.token,
        paper: null,
        portal: portalAddress,
        phone: operatorPhone,
        hospital: hospitalLines(facilityName, facility?.entity ?? null),
        day: longDate(tokyoDate(paper.deliveredAt)),
      }),
    )
  })
}

/** The exact text of a version, or `null` when it was not published in that language. */
export async function noticeTextOf(
  { context, settings }: CounterParts,
  { track, version, hash }: TemplateFact,
  language: NoticeLanguage,
): Promise<string | null> {
  const published = await publishedText(context.store.db, { track, version, language })
  return published ?? (language === 'ja' ? settings.noticeText(hash) : null)
}

/** The language that was read aloud, where the paper exists in it; else Japanese. */
async function paperLanguage(parts: CounterParts, track: Track, asked: string): Promise<NoticeLanguage> {
  const { context } = parts
  if (asked === 'ja' || !isScriptLanguage(asked)) return 'ja'
  const facility = await facilityStateOf(context.store.db, context.facility)
  const template = newestTemplate(facility?.templates ?? [], track)
  const text = template && (await noticeTextOf(parts, template, asked))
  return text ? asked : 'ja'
}
