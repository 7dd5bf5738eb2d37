/** Version of everything in this file: normalised values made by another version are made again. */
export const NORMALISER = 'kana-1'

const KANA =
  'アイウエオカキクケコガギグゲゴサシスセソザジズゼゾタチツテトダデドナニヌネノハヒフヘホバビブベボパピプペポマミムメモヤユヨラリルレロワンヴ'
const FIRST_BYTE = 48
const CODE = new Map([...KANA].map((kana, i) => [kana, String.fromCharCode(FIRST_BYTE + i)]))
const SAME = new Map(
  Object.entries({
    ァ: 'ア',
    ィ: 'イ',
    ゥ: 'ウ',
    ェ: 'エ',
    ォ: 'オ',
    ッ: 'ツ',
    ャ: 'ヤ',
    ュ: 'ユ',
    ョ: 'ヨ',
    ヮ: 'ワ',
    ヵ: 'カ',
    ヶ: 'ケ',
    ヅ: 'ズ',
    ヂ: 'ジ',
    ヲ: 'オ',
    ヰ: 'イ',
    ヱ: 'エ',
  }),
)
const DROPPED = /[\s・･ー‐‑–—―−-]/gu

/**
 * One ASCII byte per kana, so that every engine's string functions (bytes or characters) agree. `null` when anything
 * but kana is left: a name in letters or kanji is not compared as kana.
 */
export function kanaCode(text: string): string | null {
  let code = ''
  for (const char of text.normalize('NFKC').replaceAll(DROPPED, '')) {
    const point = char.codePointAt(0) ?? 0
    const kata = point >= 0x3041 && point <= 0x3096 ? String.fromCodePoint(point + 0x60) : char
    const byte = CODE.get(SAME.get(kata) ?? kata)
    if (byte === undefined) return null
    code += byte
  }
  return code === '' ? null : code
}

export function kanjiFold(text: string): string | null {
  const folded = text.normalize('NFKC').replaceAll(DROPPED, '')
  return folded === '' ? null : folded
}

const PLACEHOLDER_NAMES = new Set(
  ['ベビー', 'アカチャン', 'フメイ', 'フショウ', 'テスト', 'ダミー', 'ムメイ', 'ナナシ', 'カンジャ'].map(
    (n) => kanaCode(n),
  ),
)
const PLACEHOLDER_KANJI = /ベビー|赤ちゃん|不明|不詳|テスト|ダミー|匿名|名無/u

export function isPlaceholderName(
  codes: readonly (string | null)[],
  kanji: readonly (string | null)[],
): boolean {
  return (
    codes.some((c) => c !== null && PLACEHOLDER_NAMES.has(c)) ||
    kanji.some((k) => k !== null && PLACEHOLDER_KANJI.test(k))
  )
}

/** Whole days only; 1900-01-01 and the like stand for "unknown". */
export function birthDate(text: string): string | null {
  const date = text.normalize('NFKC').trim()
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null
  const year = Number(date.slice(0, 4))
  if (year < 1870 || year > 2200) return null
  return date === '1900-01-01' || date === '1901-01-01' ? null : date
}

export function sexOf(text: unknown): 'male' | 'female' | null {
  return text === 'male' || text === 'female' ? text : null
}

/** Digits with the country code folded into a leading zero; all-equal digits are placeholders. */
export function phoneDigits(text: string): string | null {
  const digits = text
    .normalize('NFKC')
    .replace(/^\s*\+81\s*(\(0\))?/, '0')
    .replaceAll(/\D/g, '')
  return digits.length < 9 || digits.length > 11 || /^(\d)\1+$/.test(digits.slice(1)) ? null : digits
}

export function postalDigits(text: string): string | null {
  const digits = text.normalize('NFKC').replaceAll(/\D/g, '')
  return digits.length === 7 && !/^(\d)\1+$/.test(digits) ? digits : null
}

export interface Insurance {
  /** 保険者番号, eight digits. */
  insurer: string
  /** 記号; empty where the scheme has none. */
  symbol: string
  number: string
  /** 枝番, two digits; `null` on older cards. */
  branch: string | null
}

/** Width folded, separators and leading zeros dropped, branch apart. `null` without insurer or number. */
export function insuranceOf(
  insurer: string,
  symbol: string,
  number: string,
  branch: string,
): Insurance | null {
  const payer = insurer.normalize('NFKC').replaceAll(/\D/g, '')
  const folded = { symbol: foldNumber(symbol), number: foldNumber(number) }
  if (payer.length < 6 || payer.length > 8 || folded.number === '' || /^9{5,}$/.test(folded.number))
    return null
  const sub = branch.normalize('NFKC').replaceAll(/\D/g, '')
  return {
    insurer: payer.padStart(8, '0'),
    ...folded,
    branch: sub === '' || sub.length > 2 ? null : sub.padStart(2, '0'),
  }
}

function foldNumber(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s・.-]/gu, '')
    .replace(/^0+/, '')
}
