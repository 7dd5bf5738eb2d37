/** Words every Japanese page shares. */
export const SHARED_WORDS = {
  skip: '本文へ進む',
  errorTitle: '入力を確かめてください',
  errorPrefix: 'エラー：',
  signOut: '終了',
  back: '戻る',
  refusedTitle: 'この操作はできませんでした',
  refusedForm:
    '画面が古くなっているか、別の場所から送られた操作です。画面を開き直して、もう一度行ってください。',
  notFoundTitle: 'ページが見つかりません',
  notFoundText: '画面の期限が切れているか、アドレスが正しくありません。最初の画面からやり直してください。',
  brokenTitle: 'エラーが起きました',
  brokenText:
    '操作は記録されていません。もう一度行ってください。続く場合は情報システム担当にお知らせください。',
} as const
