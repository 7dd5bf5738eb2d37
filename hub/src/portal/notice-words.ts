import { NOTICE_TEXT_MAX } from '@kakehashi/protocol/limits'
import { NOTICE_LANGUAGES, type NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Track } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { z } from 'zod'
import type { PortalStore } from './store.ts'

/** So many fit into one call, each as long as a notice may be. */
export const WORDS_AT_ONCE = 8

const HASH = z.string().regex(/^[0-9a-f]{64}$/)
const Listed = z.strictObject({
  facility: z.string().max(64),
  track: z.enum(['ANON', 'PSEUDO']),
  language: z.enum(NOTICE_LANGUAGES),
  hash: HASH,
})
const ListBody = z.strictObject({ listed: z.array(Listed).max(20_000) })
const WordsBody = z.strictObject({
  texts: z.array(z.string().min(1).max(NOTICE_TEXT_MAX)).max(WORDS_AT_ONCE),
})
/** Which hospital's notice is in which language: of each the hash of its words. */
export interface ListedWords {
  facility: string
  track: string
  language: string
  hash: string
}

/** The whole list anew; the answer names the words that are not here. Those nobody lists any more go. */
export async function takeList(store: PortalStore, body: unknown): Promise<{ missing: string[] }> {
  const read = ListBody.safeParse(body)
  if (!read.success) throw new Refused('REQUEST_MALFORMED')
  const { listed } = read.data
  return store.bookkeep(async (tx) => {
    await tx.deleteFrom('portal_notice').execute()
    for (const one of listed)
      await tx
        .insertInto('portal_notice')
        .values(one)
        .onConflict((c) => c.doNothing())
        .execute()
    const hashes = tx.selectFrom('portal_notice').select('hash')
    await tx.deleteFrom('portal_words').where('hash', 'not in', hashes).execute()
    const missing = await hashes
      .distinct()
      .where('hash', 'not in', (q) => q.selectFrom('portal_words').select('hash'))
      .orderBy('hash')
      .execute()
    return { missing: missing.map(({ hash }) => hash) }
  })
}

/** Kept under the hash of what arrived, and only what is listed: words that were changed on the way are nobody's. */
export async function takeWords(store: PortalStore, body: unknown): Promise<void> {
  const read = WordsBody.safeParse(body)
  if (!read.success) throw new Refused('REQUEST_MALFORMED')
  await store.bookkeep(async (tx) => {
    for (const text of read.data.texts) {
      const hash = sha256Hex(text)
      const listed = await tx
        .selectFrom('portal_notice')
        .select('hash')
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (!listed) continue
      await tx
        .insertInto('portal_words')
        .values({ hash, text })
        .onConflict((c) => c.doNothing())
        .execute()
    }
  })
}

export interface NoticeWords {
  track: Track
  language: NoticeLanguage
  text: string
}

/** Of each track the words in this language; in Japanese, which governs, where the hospital published no other. */
export async function wordsOf(
  store: PortalStore,
  facility: string,
  language: NoticeLanguage,
): Promise<NoticeWords[]> {
  const rows = await store.db
    .selectFrom('portal_notice as n')
    .innerJoin('portal_words as w', 'w.hash', 'n.hash')
    .select(['n.track', 'n.language', 'w.text'])
    .where('n.facility', '=', facility)
    .where('n.language', 'in', [language, 'ja'])
    .execute()
  const words = rows as NoticeWords[]
  return words.filter(
    (one) =>
      one.language === language ||
      !words.some((other) => other.track === one.track && other.language === language),
  )
}
