/** Why one line of an import was not taken: what is wrong with it, and what to do. The line itself is never repeated. */
export const LINE_REASONS = {
  QUOTE_BROKEN: '引用符（"）が閉じていないか、位置が正しくありません。書き出した側で直してください。',
  TOO_LONG: '行が長すぎます。書き出した側の区切りと改行を確かめてください。',
  CELLS_DIFFER: '列の数が見出しと違います。区切りの文字を確かめてください。',
  CONTROL_CHARACTER: '使えない制御文字が含まれています。書き出した側で直してください。',
  PATIENT_EMPTY: '患者番号が空です。',
  PATIENT_MALFORMED: '患者番号の形ではありません。',
  PATIENT_UNKNOWN:
    'この番号の患者はまだ読み取っていません。電子カルテの読み取りのあとで、同じファイルをもう一度取り込んでください。',
  PATIENT_AMBIGUOUS: '頭のゼロを除くと同じ番号の患者が複数います。番号を省略せずに書き出してください。',
  DATE_EMPTY: '渡した日時が空です。',
  DATE_UNREADABLE: '渡した日時を読み取れません。2026-11-25 09:12 のように書き出してください。',
  DATE_FUTURE: '渡した日時がまだ来ていません。書き出した機械の時計を確かめてください。',
  BEFORE_PUBLICATION: 'その日時には、この通知書の文面がまだ公開されていません。',
  RECIPIENT_UNKNOWN: '渡した相手を読み取れません。対応表（mapping）に書き加えてください。',
  METHOD_UNKNOWN: '渡した方法を読み取れません。対応表（mapping）に書き加えてください。',
  STATE_UNKNOWN: '状態を読み取れません。対応表（mapping）に書き加えてください。',
  ID_MALFORMED: '職員・印刷・受診・用紙のいずれかの番号の形が正しくありません。',
  VERSION_UNKNOWN: 'その版の通知書は公開されていません。',
  PAPER_UNKNOWN: 'この番号の用紙は印刷していないか、取り消されています。',
  PAPER_OF_ANOTHER: 'この用紙は別の患者のために印刷したものです。渡した相手を確かめてください。',
  DIED_BEFORE: 'その日時より前に亡くなった記録のある患者です。番号を確かめてください。',
  VISIT_CANCELLED: 'この受診は取り消されています。渡していれば、窓口で記録してください。',
  UNDONE_BEFORE: 'この行の取り込みは一度取り消されています。取り込み直すときは --again を付けてください。',
  CANCELS_NOTHING: '取り消す相手の通知がありません（まだ取り込んでいないか、すでに取り消し済みです）。',
  MESSAGE_MALFORMED: 'HL7の電文として読み取れません。送り側の設定を確かめてください。',
  NOT_ADT: 'ADTの電文ではありません。送り側で送る電文をしぼってください。',
  REGISTER_REFUSED: '登録簿が受け付けませんでした。窓口の画面で状態を確かめてください。',
} as const

export type LineReason = keyof typeof LINE_REASONS

/** A line that is not taken, on its way out of a parser; caught where lines are counted. */
export class LineRefused extends Error {
  override name = 'LineRefused'
  readonly reason: LineReason
  constructor(reason: LineReason) {
    super(reason)
    this.reason = reason
  }
}
