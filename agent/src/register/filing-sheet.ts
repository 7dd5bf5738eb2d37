import { changedItems, type NoticeContent } from '@kakehashi/protocol/notice-content'
import { dayInWords, noticeLines } from '@kakehashi/protocol/notice-text'
import { Refused } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { NOTICE_ITEMS, type LocalDate, type NoticeItem, type Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { publishedNotices } from './notice-published.ts'
import { facilityStateOf } from './read.ts'

/** The filing with the ministers (届出書), made from the very notice that is handed out (R2). */
export interface FilingSheet {
  kind: 'first' | 'change' | 'end'
  track: Track
  /** 52条 or 57条. */
  article: '52' | '57'
  version: number
  templateHash: string
  madeOn: LocalDate
  entity: { name: string; address: string; representative: string }
  facilities: { name: string; address: string; phone: string }[]
  items: { item: NoticeItem; heading: string; lines: string[]; before: string[] | null }[]
  changesOn: LocalDate | null
  endsOn: LocalDate | null
  text: string
}

/**
 * The sheet for one version: the whole of its items, and beside each changed one what it was. `facilities`: the
 * others of the same legal person that the filing names too. The ministers' own form is to be used where there is one.
 */
export async function filingSheetOf(
  context: AgentContext,
  asked: { track: Track; version?: number; facilities?: FilingSheet['facilities'] },
): Promise<FilingSheet> {
  const { db } = context.store
  const versions = await publishedNotices(db, asked.track)
  const at =
    asked.version === undefined
      ? versions.length - 1
      : versions.findIndex((v) => v.template.version === asked.version)
  const published = versions[at]
  const facility = await facilityStateOf(db, context.facility)
  if (!published || !facility) throw new Refused('NOT_FOUND', 'template')
  const before = versions[at - 1]?.content ?? null
  const { content, template } = published
  const ended = facility.endedOn !== null
  const sheet: Omit<FilingSheet, 'text'> = {
    kind: ended ? 'end' : before ? 'change' : 'first',
    track: asked.track,
    article: asked.track === 'ANON' ? '52' : '57',
    version: template.version,
    templateHash: template.hash,
    madeOn: tokyoDate(context.env.now()),
    entity: content.handler,
    facilities: [content.facility, ...(asked.facilities ?? [])],
    items: itemsOf(content, before),
    changesOn: template.change?.from ?? null,
    endsOn: facility.endedOn,
  }
  return { ...sheet, text: sheetText(sheet, content) }
}

function itemsOf(content: NoticeContent, before: NoticeContent | null): FilingSheet['items'] {
  const changed = before ? changedItems(before, content) : []
  const now = noticeLines(content)
  const old = before ? noticeLines(before) : []
  return NOTICE_ITEMS.map((item, index) => ({
    item,
    heading: now[index]?.heading ?? '',
    lines: now[index]?.lines ?? [],
    before: changed.includes(item) ? (old[index]?.lines ?? []) : null,
  }))
}

const TITLES: Readonly<Record<FilingSheet['kind'], string>> = {
  first: '医療情報の提供に係る届出書',
  change: '医療情報の提供に係る変更の届出書',
  end: '医療情報の提供の終了に係る届出書',
}

function sheetText(sheet: Omit<FilingSheet, 'text'>, content: NoticeContent): string {
  const { entity, article } = sheet
  const law = '医療分野の研究開発に資するための匿名加工医療情報及び仮名加工医療情報に関する法律'
  const clause = sheet.kind === 'first' ? '第1項' : '第2項'
  return [
    TITLES[sheet.kind],
    '',
    `作成日　${dayInWords(sheet.madeOn)}`,
    '内閣総理大臣・文部科学大臣・厚生労働大臣・経済産業大臣　殿',
    '',
    `届出者　${entity.name}`,
    `住所　　${entity.address}`,
    `代表者　${entity.representative}`,
    '',
    `${law}第${article}条${clause}の規定により、次のとおり届け出ます。`,
    '',
    '対象の医療機関',
    ...sheet.facilities.map((one) => `・${one.name}　${one.address}　電話 ${one.phone}`),
    ...(sheet.kind === 'end' && sheet.endsOn ? ['', `提供を終了する日　${dayInWords(sheet.endsOn)}`] : []),
    ...(sheet.kind === 'change' && sheet.changesOn ? ['', `変更の日　${dayInWords(sheet.changesOn)}`] : []),
    ...sheet.items.flatMap(({ heading, lines, before }) => [
      '',
      heading,
      ...lines,
      ...(before ? ['（変更前）', ...before] : []),
    ]),
    '',
    '提供先の認定事業者',
    ...content.operators.map((one) => `・${one.name}　${one.address}　電話 ${one.phone}`),
    '',
    `通知書　第${sheet.version}版（文面の要約値 ${sheet.templateHash}）`,
    '※主務大臣の定める様式があるときは、その様式に書き写してください。',
  ].join('\n')
}
