import { PURPOSES, STOP_STATEMENT, type NoticeContent } from '@kakehashi/protocol/notice-content'
import { ITEM_CLASSES, type ItemClass } from '@kakehashi/protocol/rules/state'

/** How a notice may word each class of information. */
const WORDS: Readonly<Record<ItemClass, string>> = {
  identity: '氏名、性別、生年月日、住所など、あなたを表す情報',
  insurance: '医療保険の情報（被保険者番号など）と診療報酬の請求の情報',
  encounter: '受診・入院・退院の記録',
  diagnosis: '病名、これまでの病気、アレルギー',
  laboratory: '検査の結果',
  medication: '処方・注射・予防接種の記録',
  procedure: '処置・手術・医療機器の記録',
  observation: '血圧・体温などの測定の記録',
  document: '診療・看護の記録、報告書',
  image: '画像検査の画像',
  care: '看護・介護の計画と記録',
  other: 'その他の診療の記録',
}

/**
 * A notice with every legal item filled in, to start from. The wording is ours, not the ministries': where there is an
 * official sample, its words go in here.
 */
export function sampleNotice(
  facts: Pick<NoticeContent, 'track' | 'handler' | 'facility' | 'operators' | 'plannedStart'> & {
    items?: readonly ItemClass[]
  } & Partial<NoticeContent>,
): NoticeContent {
  const { items = ITEM_CLASSES, ...given } = facts
  return {
    purpose: PURPOSES[given.track],
    dataItems: items.map((item) => ({ item, words: WORDS[item] })),
    acquisitionMethod:
      '当院での診療・検査・会計の際に、診療録などに記録した情報です。この通知より前の記録と、今後の記録を含みます。',
    provisionMethod: '暗号化したうえで、保護された通信により提供します。',
    stopStatement: STOP_STATEMENT,
    stopChannels: [
      { kind: 'window', at: '総合受付', hours: '診療時間内' },
      { kind: 'phone', at: given.operators[0]?.phone ?? given.facility.phone },
    ],
    updateMethod: '診療のつど、新しい記録と直した記録を続けて提供します。',
    saysOneMonth: false,
    remarks: '',
    ...given,
  }
}
