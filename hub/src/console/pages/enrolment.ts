import { qrText } from '@kakehashi/ui/qr-code'
import type { SecondFactor } from '../../accounts/second-factor.ts'

/** Everything the new member of staff needs once, on the terminal of whoever enrols them. */
export function factorInWords(uri: string, factor: SecondFactor): string {
  return [
    '認証アプリで読み取ってください（手で入れるときは、下の文字を使います）:',
    qrText(uri),
    uri,
    '予備の番号（一つにつき一度だけ使えます。紙に写し、鍵のかかる所に置いてください）:',
    ...factor.recoveryCodes.map((code) => `  ${code}`),
    'これらは二度と表示されません。本人にだけ、電話か対面で伝えてください。',
  ].join('\n')
}
