import type { NoticeContent, NoticeLanguage } from '@kakehashi/protocol/notice-content'
import type { TemplateFact, Track } from '@kakehashi/protocol/rules/state'
import { facilityEvents, languagesOf, type RegisterReader } from '../register/read.ts'
import { publishedText } from '../register/notice-published.ts'

/** One published version of the notice, with its exact text in each language it was published in. */
export interface Published {
  template: TemplateFact
  /** `null`: published before notices were kept item by item. */
  content: NoticeContent | null
  texts: ReadonlyMap<NoticeLanguage, string>
}

/** Every version of the track, newest first. `kept`: texts of versions whose register event lacks them. */
export async function publishedVersions(
  db: RegisterReader,
  track: Track,
  kept: (hash: string) => string | null,
): Promise<Published[]> {
  const versions: Published[] = []
  for (const event of await facilityEvents(db)) {
    if (event.type !== 'template-published' || event.template.track !== track) continue
    const { template } = event
    const texts = new Map<NoticeLanguage, string>()
    for (const language of await languagesOf(db, template)) {
      const asked = { track, version: template.version, language }
      const text = (await publishedText(db, asked)) ?? (language === 'ja' ? kept(template.hash) : null)
      if (text !== null) texts.set(language, text)
    }
    versions.push({ template, content: event.content ?? null, texts })
  }
  return versions.toSorted((a, b) => b.template.version - a.template.version)
}
