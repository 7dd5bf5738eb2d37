import type { Instant } from '@kakehashi/protocol/env'
import type { TemplatePublished } from '@kakehashi/protocol/events'
import {
  changedItems,
  missingItems,
  namesOperators,
  NOTICE_LANGUAGES,
  type NoticeContent,
  type NoticeLanguage,
} from '@kakehashi/protocol/notice-content'
import { NOTICE_TEXT_MAX } from '@kakehashi/protocol/limits'
import { noticeText } from '@kakehashi/protocol/notice-text'
import { Refused } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate, NoticeItem, TemplateFact, Track } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { AgentContext } from '../context.ts'
import { recordFact } from './fact.ts'
import { facilityEvents, type RegisterReader } from './read.ts'

export interface NoticeToPublish {
  content: NoticeContent
  by: string
  /** Day on which what it says differently becomes true; omitted: today. Not asked of the first version. */
  changesOn?: LocalDate
  /** Another purpose or another word on stopping is no change: everybody is notified anew (LAW §1.6). */
  asNewNotice?: boolean
  /** In use before it was recorded here: needs a second person. */
  publishedAt?: Instant
  approvedBy?: string
}

export interface Published {
  template: TemplateFact
  changed: NoticeItem[]
  text: string
}

/** A version with its content, as it was published. */
export type PublishedNotice = Required<Pick<TemplatePublished, 'template' | 'content' | 'text'>>

/** Every published version of a track with its content, the oldest first. */
export async function publishedNotices(db: RegisterReader, track: Track): Promise<PublishedNotice[]> {
  const published: PublishedNotice[] = []
  for (const event of await facilityEvents(db, ['template-published'])) {
    if (event.type !== 'template-published' || event.template.track !== track) continue
    const { template, content, text } = event
    if (content && text !== undefined) published.push({ template, content, text })
  }
  return published.toSorted((a, b) => a.template.version - b.template.version)
}

/** The exact text of a version in a language, or `null` when it was not published in it. */
export async function publishedText(
  db: RegisterReader,
  asked: { track: Track; version: number; language: NoticeLanguage },
): Promise<string | null> {
  for (const event of await facilityEvents(db, ['template-published', 'template-translated'])) {
    if (event.type === 'template-published' && asked.language === 'ja')
      if (event.template.track === asked.track && event.template.version === asked.version)
        return event.text ?? null
    if (event.type !== 'template-translated' || event.language !== asked.language) continue
    if (event.track === asked.track && event.templateVersion === asked.version) return event.text
  }
  return null
}

/** Art. 52(1) in full or not at all: the place of a refusal names the items left empty (R1). */
function refuseIncomplete(content: NoticeContent): void {
  const missing = missingItems(content)
  if (missing.length > 0) throw new Refused('REQUEST_MALFORMED', `notice items ${missing.join(' ')}`)
  if (!namesOperators(content)) throw new Refused('REQUEST_MALFORMED', 'notice operators')
}

/** The highest version of a track, also of those published before their content was kept. */
export async function newestVersion(db: RegisterReader, track: Track): Promise<number> {
  let newest = 0
  for (const event of await facilityEvents(db, ['template-published']))
    if (event.type === 'template-published' && event.template.track === track)
      newest = Math.max(newest, event.template.version)
  return newest
}

/** Publishes the next version of a track's notice. Its text never changes: another text is another version. */
export async function publishNotice(context: AgentContext, asked: NoticeToPublish): Promise<Published> {
  const { content, by } = asked
  refuseIncomplete(content)
  const now = context.env.now()
  const publishedAt = asked.publishedAt ?? now
  const backdated = publishedAt < now
  if (publishedAt > now || (backdated && (!asked.approvedBy || asked.approvedBy === by)))
    throw new Refused('NOT_ALLOWED', 'publishedAt')
  const versions = await publishedNotices(context.store.db, content.track)
  const before = versions.at(-1)
  const changed = before ? changedItems(before.content, content) : []
  if (changed.some((item) => item === 'ii' || item === 'vi') && asked.asNewNotice !== true)
    throw new Refused('NOT_ALLOWED', 'notice purpose')
  const text = noticeText(content)
  if (text.length > NOTICE_TEXT_MAX) throw new Refused('REQUEST_MALFORMED', 'notice length')
  const hash = sha256Hex(text)
  if (before?.template.hash === hash) throw new Refused('REQUEST_MALFORMED', 'notice unchanged')
  const from = asked.changesOn ?? tokyoDate(now)
  if (from < tokyoDate(publishedAt)) throw new Refused('REQUEST_MALFORMED', 'changesOn')
  const template: TemplateFact = {
    version: (await newestVersion(context.store.db, content.track)) + 1,
    track: content.track,
    hash,
    items: [...new Set(content.dataItems.map((one) => one.item))],
    operators: content.operators.map((one) => one.operator),
    publishedAt,
    saysOneMonth: content.saysOneMonth,
    startsOn: content.plannedStart,
    ...(changed.length > 0 ? { change: { items: changed, from } } : {}),
  }
  await recordFact(context, 'template.published', by, { type: 'template-published', template, content, text })
  return { template, changed, text }
}

/** The same version in another language; the Japanese text governs. A published translation never changes either. */
export async function translateNotice(
  context: AgentContext,
  asked: { track: Track; version: number; language: NoticeLanguage; text: string; by: string },
): Promise<{ hash: string }> {
  const { track, version, language, text } = asked
  const known = (await publishedNotices(context.store.db, track)).some((p) => p.template.version === version)
  if (!known) throw new Refused('NOT_FOUND', 'template')
  if (
    language === 'ja' ||
    !NOTICE_LANGUAGES.includes(language) ||
    text.trim() === '' ||
    text.length > NOTICE_TEXT_MAX
  )
    throw new Refused('REQUEST_MALFORMED', 'language')
  if ((await publishedText(context.store.db, { track, version, language })) !== null)
    throw new Refused('NOT_ALLOWED', 'language')
  const hash = sha256Hex(text)
  await recordFact(context, 'template.translated', asked.by, {
    type: 'template-translated',
    track,
    templateVersion: version,
    language,
    text,
    hash,
  })
  return { hash }
}
