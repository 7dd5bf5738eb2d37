/** Lies in every package. */
export const README = `架け橋 証拠の書類

manifest.json      全ファイルの要約値と、エージェントの署名
subjects.ndjson    対象の患者番号と、監査記録での呼び名
register/          登録簿の記録（facility: 法人・通知書・届出、patients: 通知・停止など）
notices/           通知書の文面。ファイル名は文面の SHA-256
rules.ndjson       判断に使った規則の版
papers.ndjson      まえもって印刷した用紙
documents.ndjson   第53条の書面の控え
provisions.ndjson  第54条の提供の記録
receipts.ndjson    受領証の内容、受領されなかった記録
decisions.ndjson   規則による判断（今、および提供のとき）
audit/             監査記録の木の根（署名つき）と、各記録がその木にある証明

確かめ方: agent evidence verify フォルダー --key 公開鍵
`
