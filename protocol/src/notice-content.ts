import type { OperatorId } from './ids.ts'
import type { ItemClass, LocalDate, NoticeItem, Track } from './rules/state.ts'

/**
 * What a notice (通知書) says, item by item as Art. 52(1) and 57(1) number them. Paper, poster, filing sheet and
 * portal are all made from this; a published one never changes.
 */
export const NOTICE_LANGUAGES = [
  'ja',
  'ja-easy',
  'en',
  'zh-Hans',
  'zh-Hant',
  'ko',
  'vi',
  'pt-BR',
  'tl',
  'ne',
] as const
export type NoticeLanguage = (typeof NOTICE_LANGUAGES)[number]

export interface StopChannel {
  kind: 'window' | 'phone' | 'post' | 'web'
  /** Where: a place in the house, a number, an address. */
  at: string
  /** When it is open; 24 hours when it is not said. */
  hours?: string
}

export interface NoticeContent {
  track: Track
  /** i */
  handler: { name: string; address: string; representative: string }
  /** The facility the notice is handed out in, and whom to ask there. */
  facility: { name: string; address: string; phone: string }
  /** ii */
  purpose: string
  /** iii: each class of information, and how the notice words it. */
  dataItems: { item: ItemClass; words: string }[]
  /** iv */
  acquisitionMethod: string
  /** v */
  provisionMethod: string
  /** vi */
  stopStatement: string
  /** vii */
  stopChannels: StopChannel[]
  /** viii */
  updateMethod: string
  plannedStart: LocalDate
  /** Not an item of the Act; every provision is recorded with them (Art. 54). */
  operators: { operator: OperatorId; name: string; address: string; phone: string }[]
  /** The notice says 「1か月」. */
  saysOneMonth: boolean
  /** Sentences of the hospital's own, without legal weight; may be empty. */
  remarks: string
}

/** The purpose that each track's article words differently; a hospital may say more, never another one. */
export const PURPOSES: Readonly<Record<Track, string>> = {
  ANON: '医療分野の研究開発に資するための匿名加工医療情報の作成のため、認定匿名加工医療情報作成事業者に提供します。',
  PSEUDO:
    '認定仮名加工医療情報利用事業者が利用する、医療分野の研究開発に資するための仮名加工医療情報の作成のため、認定仮名加工医療情報作成事業者に提供します。',
}

export const STOP_STATEMENT =
  '本人又はその遺族の求めがあれば、いつでも提供を停止します。理由は要りません。停止しても診療に不利益はありません。'

const PURPOSE_WORD: Readonly<Record<Track, string>> = { ANON: '匿名加工', PSEUDO: '仮名加工' }

/** The legal items left empty, or that say something else than their track's article; nothing may be published with any. */
export function missingItems(content: NoticeContent): NoticeItem[] {
  const filled: Record<NoticeItem, boolean> = {
    i: all(content.handler.name, content.handler.address, content.handler.representative),
    ii: all(content.purpose) && content.purpose.includes(PURPOSE_WORD[content.track]),
    iii: content.dataItems.length > 0 && content.dataItems.every((one) => all(one.words)),
    iv: all(content.acquisitionMethod),
    v: all(content.provisionMethod),
    vi: all(content.stopStatement) && content.stopStatement.includes('停止'),
    vii: content.stopChannels.length > 0 && content.stopChannels.every((one) => all(one.at)),
    viii: all(content.updateMethod, content.plannedStart),
  }
  return (Object.keys(filled) as NoticeItem[]).filter((item) => !filled[item])
}

/** The operators a notice names are complete: name, address and telephone of at least one. */
export function namesOperators(content: NoticeContent): boolean {
  return (
    content.operators.length > 0 && content.operators.every((one) => all(one.name, one.address, one.phone))
  )
}

/** The items in which two versions differ, in the order of the Act. A new operator is no item. */
export function changedItems(before: NoticeContent, after: NoticeContent): NoticeItem[] {
  const parts = (content: NoticeContent): Record<NoticeItem, unknown> => ({
    i: content.handler,
    ii: content.purpose,
    iii: content.dataItems,
    iv: content.acquisitionMethod,
    v: content.provisionMethod,
    vi: content.stopStatement,
    vii: content.stopChannels,
    viii: [content.updateMethod, content.plannedStart],
  })
  const [old, now] = [parts(before), parts(after)]
  return (Object.keys(old) as NoticeItem[]).filter(
    (item) => JSON.stringify(old[item]) !== JSON.stringify(now[item]),
  )
}

const all = (...texts: string[]): boolean => texts.every((text) => text.trim().length > 0)
