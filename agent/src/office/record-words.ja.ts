import type { HoldReason } from '@kakehashi/protocol/rules/state'

const HOLDS: Readonly<Record<HoldReason, string>> = {
  identity: '本人かどうかの確認待ち',
  merge: '同じ方かどうかの確認待ち',
  'death-review': 'ご逝去後の確認待ち',
  capacity: '判断能力の確認待ち',
  other: 'そのほかの確認待ち',
}

/** What the page for putting a record right says. */
export const RECORD = {
  title: '記録を直す',
  open: '記録を直す（戻った郵便・ご逝去・保留・番号の統合など）',
  lead: '直しても、前の記録は消えません。新しい記録として残ります。',
  backToPatient: '患者の画面へ',

  notices: '通知',
  noticesNone: '数えている通知はありません。',
  recipients: { person: '本人', guardian: '保護者等' },
  methods: { handed: '手渡し', kiosk: '発券機', post: '郵送', electronic: '電子', other: 'その他' },
  returnedButton: '郵便が戻ってきた',
  returnedHint: 'この通知は初めからなかったことになります。',
  arrivedTitle: '届いた日が分かったとき',
  arrivedDay: '届いた日',
  arrivedDayHint: '例：20260405。届いたとみなした日より前のときは、二人目の確認も要ります',
  evidence: '追跡番号など',
  arrivedButton: '届いた日を記録する',
  voidTitle: 'この通知の記録が誤りのとき',
  voidWhy: 'どんな誤りですか',
  voidReasons: {
    'wrong-patient': '別の方の記録だった',
    'visit-cancelled': '受診が取り消された',
    other: 'そのほか',
  },
  voidButton: '通知の記録を取り消す',

  provisional: '仮の停止',
  dismissTitle: (line: string) => `${line}を外す`,
  dismissLead: '外すと提供が始まることがあるため、二人で確かめます。',
  dismissWhy: 'なぜ外しますか',
  dismissReasons: { 'not-this-person': '別の方のことだった', impostor: '本人をよそおった方だった' },
  dismissButton: '仮の停止を外す',

  slips: '送った確認書',
  slipSent: (number: string, at: string) => `${number}（${at} に送付）`,
  bouncedButton: '確認書が戻ってきた',

  death: 'ご逝去',
  deathDay: '亡くなった日',
  deathDayHint: '例：20260405 や R8.4.5。電子カルテより先に知ったとき',
  deathButton: 'ご逝去を記録する',
  deathKnown: (words: string) => `「${words}」と記録されています。`,
  aliveTitle: 'この病院で入れたご逝去の記録が誤りのとき',
  aliveButton: 'この病院で入れたご逝去の記録を取り消す',
  deathReview: 'ご逝去後の確認が済んだ（提供してよい）',

  protection: '支援措置（DV・ストーカーなど）',
  protectionOn: '郵便を電子カルテの住所に送りません。',
  protectionOff: '記録はありません。',
  protectButton: '支援措置を記録する（郵便を止める）',
  unprotectButton: '支援措置の記録を外す',

  holds: '保留',
  holdsNone: '保留はありません。',
  holdIs: HOLDS,
  freeTitle: (reason: HoldReason) => `「${HOLDS[reason]}」を外す`,
  freeButton: '確かめた。保留を外す',
  holdTitle: '保留にする',
  holdWhy: '理由',
  holdButton: '確かめるまで提供しない',

  charts: '同じ方の番号',
  chartsNone: 'ほかの番号はありません。',
  chartSame: '同じ方として扱っています',
  chartDoubt: '同じ方か分からないため、両方を保留しています',
  sameButton: '同じ方と確かめた',
  apartTitle: (number: string) => `番号 ${number} を分ける`,
  apartButton: '別の方だった。分ける',

  second: '二人目の職員番号',
  secondPin: '二人目の暗証番号',

  returned: '戻った郵便を記録しました。この通知は初めからなかったことになります。',
  returnedIncident:
    '戻った郵便を記録しました。この通知をもとに送った情報があるため、認定事業者に知らせました。',
  arrived: '届いた日を記録しました。その日から数えます。',
  arrivedUnapproved:
    '届いた日を記録しましたが、みなした日より前で二人目の確認がないため、数え方は変わりません。',
  voided: '通知の記録を取り消しました。',
  voidedIncident: '通知の記録を取り消しました。送った情報があるため、認定事業者に知らせました。',
  dismissed: '仮の停止を外しました。',
  bounced: '確認書が戻った記録をつけました。渡す仕事がもう一度開いています。',
  deathRecorded: 'ご逝去を記録しました。',
  deathTakenBack: 'この病院で入れたご逝去の記録を取り消しました。電子カルテの記録はそのままです。',
  protected: '支援措置を記録しました。',
  unprotected: '支援措置の記録を外しました。',
  held: '保留にしました。確かめるまで提供しません。',
  freed: '保留を外しました。',
  same: '同じ方として記録しました。停止は両方の番号に及びます。',
  apart: '別の方として記録しました。',

  /** Why it was not done, by the place that the register names. */
  why: {
    approvedBy:
      'もう一人の職員の番号と暗証番号が要ります（自分以外の、受付か個人情報担当の職員）。何も変わっていません。',
    arrivedAt: '届いた日を確かめてください。送った日から今日までの日だけ入れられます。',
    evidence: '追跡番号など、届いたことが分かるものを入れてください。',
    deceasedOn: '亡くなった日を 20260405 や R8.4.5 のように入れてください。未来の日は入れられません。',
    reason: '理由をえらんでください。何も変わっていません。',
    post: '郵送した通知だけを、戻った郵便として記録できます。何も変わっていません。',
    other: '番号を確かめてください。何も変わっていません。',
  } as Readonly<Record<string, string>>,
} as const
