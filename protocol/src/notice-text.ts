import type { NoticeContent, StopChannel } from './notice-content.ts'

const CHANNELS: Readonly<Record<StopChannel['kind'], string>> = {
  window: '窓口',
  phone: '電話',
  post: '郵便',
  web: 'ウェブ',
}

/** `2026-04-01` as 2026年4月1日. */
export function dayInWords(date: string): string {
  const [year, month, day] = date.split('-')
  return `${year}年${Number(month)}月${Number(day)}日`
}

export function channelInWords({ kind, at, hours }: StopChannel): string {
  return `${CHANNELS[kind]}：${at}${hours === undefined ? '' : `（${hours}）`}`
}

/** The items of a notice in the order and with the numbers of the Act, each with its heading. */
export function noticeLines(content: NoticeContent): { heading: string; lines: string[] }[] {
  const { handler, facility } = content
  return [
    {
      heading: '1　提供する者',
      lines: [`${handler.name}　${handler.representative}`, handler.address, `医療機関：${facility.name}`],
    },
    { heading: '2　提供の目的', lines: [content.purpose] },
    { heading: '3　提供する医療情報の項目', lines: content.dataItems.map((one) => `・${one.words}`) },
    { heading: '4　取得の方法', lines: [content.acquisitionMethod] },
    { heading: '5　提供の方法', lines: [content.provisionMethod] },
    { heading: '6　提供の停止', lines: [content.stopStatement] },
    {
      heading: '7　停止の求めを受け付ける方法',
      lines: content.stopChannels.map((one) => `・${channelInWords(one)}`),
    },
    {
      heading: '8　更新の方法・提供を開始する予定日',
      lines: [content.updateMethod, `提供を開始する予定日：${dayInWords(content.plannedStart)}`],
    },
    {
      heading: '提供先の認定事業者',
      lines: content.operators.map((one) => `${one.name}　${one.address}　電話 ${one.phone}`),
    },
  ]
}

/** The exact Japanese text of a notice: what is printed, and what its hash pins. */
export function noticeText(content: NoticeContent): string {
  const wait = content.saysOneMonth
    ? 'この通知から1か月（30日より短いときは30日）を過ぎるまで、提供しません。'
    : 'この通知から30日を過ぎるまで、提供しません。'
  return [
    '医療情報の提供についてのお知らせ',
    ...noticeLines(content).flatMap(({ heading, lines }) => ['', heading, ...lines]),
    '',
    wait,
    ...(content.remarks.trim() ? ['', content.remarks.trim()] : []),
    '',
    `お問い合わせ：${content.facility.name}　${content.facility.address}　電話 ${content.facility.phone}`,
  ].join('\n')
}

export interface TextBlock {
  heading: string | null
  lines: string[]
}

/** A published text as paper and pages set it: the first line is its title, empty lines part the blocks. */
export function blocksOf(text: string): { title: string; blocks: TextBlock[] } {
  const [title = '', ...rest] = text.split(/\r?\n/)
  const blocks: TextBlock[] = []
  let open: string[] = []
  const close = () => {
    const [first, ...lines] = open
    if (first !== undefined)
      blocks.push(
        lines.length > 0 && first.length <= 40 && !/[。.]$/.test(first)
          ? { heading: first, lines }
          : { heading: null, lines: open },
      )
    open = []
  }
  for (const line of rest)
    if (line.trim() === '') close()
    else open.push(line)
  close()
  return { title, blocks }
}
