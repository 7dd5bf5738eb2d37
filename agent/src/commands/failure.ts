import { inJapanese, Refused } from '@kakehashi/protocol/refusals'
import { ConfigFaulty } from '../config.ts'
import { PlainHttpRefused } from '../uplink/wire.ts'

/** Exit codes: 0 well, 1 something is wrong that the output names, 2 used wrongly or not set up, 3 unexpected. */
export const EXIT = { ok: 0, wrong: 1, unusable: 2, unexpected: 3 } as const

const NEXT: Record<string, string> = {
  CODE_WRONG:
    'コードと医療機関のIDを見直し、もう一度入力してください。分からなければ認定事業者に問い合わせてください。',
  CODE_EXPIRED: '認定事業者に新しい登録コードを発行してもらってください。',
  CODE_USED: '別の機械で使われていないか確かめ、認定事業者に新しい登録コードを発行してもらってください。',
  NOT_ENROLLED: '先に agent init で登録してください（--dir の場所も確かめてください）。',
  DISK_FULL: '空き容量を増やしてから、もう一度実行してください。受け付けたものは失われていません。',
  SOURCE_AMBIGUOUS:
    'config.json のこの電子カルテに、読み取る医療機関の番号（10桁）を "institution" として書いてください。',
  SOURCE_UNREACHABLE: '電子カルテ側の場所・電源・ネットワークを確かめてください。',
}

interface Told {
  exit: number
  what: string
  next: string
  code: string
}

function told(error: unknown): Told {
  if (error instanceof ConfigFaulty)
    return {
      exit: EXIT.unusable,
      code: 'CONFIG',
      what: error.message,
      next: 'config.json を直してください。',
    }
  if (error instanceof PlainHttpRefused)
    return {
      exit: EXIT.unusable,
      code: 'PLAIN_HTTP',
      what: '暗号化されない接続先（http://）は使えません。',
      next: 'https:// で始まるアドレスを指定してください。',
    }
  if (error instanceof Refused) {
    const { code, place } = error.refusal
    const where = place === undefined ? '' : `（${place}）`
    const what = `${inJapanese(code)}${where}`
    return { exit: EXIT.unusable, code, what, next: NEXT[code] ?? 'agent doctor で状態を確かめてください。' }
  }
  const code = (error as { code?: unknown } | null)?.code
  if (
    typeof code === 'string' &&
    /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|CERT_|UNABLE_|SELF_|DEPTH_)/.test(code)
  )
    return {
      exit: EXIT.wrong,
      code,
      what: '認定事業者の窓口（ゲートウェイ）に接続できません。',
      next: 'アドレス、ネットワーク、プロキシ、証明書を確かめてください。',
    }
  return {
    exit: EXIT.unexpected,
    code: error instanceof Error ? error.name : 'unknown',
    what: '予期しない誤りが起きました。',
    next: 'KAKEHASHI_DEBUG=1 を付けて実行し、出力を認定事業者に見せてください。',
  }
}

/** What happened, and what to do next, in Japanese; the exit code for machines. */
export function report(error: unknown): number {
  const { exit, what, next, code } = told(error)
  process.stderr.write(`誤り [${code}] ${what}\n次にすること: ${next}\n`)
  if (process.env['KAKEHASHI_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return exit
}
