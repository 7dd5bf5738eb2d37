import { isLocalDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'

/** Forms of names, numbers and dates that are to be found by each other. */

const SMALL = 'ァィゥェォッャュョヮヵヶ'
const LARGE = 'アイウエオツヤユヨワカケ'
const VARIANTS: Readonly<Record<string, string>> = {
  髙: '高',
  﨑: '崎',
  嵜: '崎',
  邊: '辺',
  邉: '辺',
  齋: '斎',
  齊: '斉',
  澤: '沢',
  濵: '浜',
  濱: '浜',
  嶋: '島',
  嶌: '島',
  德: '徳',
  惠: '恵',
  廣: '広',
  國: '国',
  櫻: '桜',
  眞: '真',
}

/**
 * Half and full width, hiragana and katakana, small and large kana, spaces and middle dots: one key. Small kana become
 * large ones because many systems only ever wrote large ones.
 */
export function kanaKey(text: string): string {
  const wide = text.normalize('NFKC').replaceAll(/[\s・･.]/g, '')
  return [...wide]
    .map((c) => LARGE[SMALL.indexOf(katakana(c))] ?? katakana(c))
    .join('')
    .replaceAll(/[-‐‑–—―−]/g, 'ー')
}

function katakana(c: string): string {
  const code = c.charCodeAt(0)
  return code >= 0x3041 && code <= 0x3096 ? String.fromCharCode(code + 0x60) : c
}

/** Spaces away, forms of one character (髙 and 高) folded, Latin letters in capitals. */
export function kanjiKey(text: string): string {
  const wide = text.normalize('NFKC').replaceAll(/\s/g, '').toUpperCase()
  return [...wide].map((c) => VARIANTS[c] ?? c).join('')
}

/** Leading zeros do not count when a number is looked for; they do when it is shown. */
export function numberKey(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/\s/g, '')
    .replace(/^0+(?=.)/, '')
}

export function isKana(text: string): boolean {
  return /^[\p{Script=Katakana}\p{Script=Hiragana}ー・\s]+$/u.test(text.normalize('NFKC'))
}

const ERAS: Readonly<Record<string, number>> = {
  M: 1867,
  明治: 1867,
  T: 1911,
  大正: 1911,
  S: 1925,
  昭和: 1925,
  H: 1988,
  平成: 1988,
  R: 2018,
  令和: 2018,
}

const ERA_DATE = /^(M|T|S|H|R|明治|大正|昭和|平成|令和)(\d{1,2}|元)[年./-]?(\d{1,2})[月./-](\d{1,2})日?$/
const ERA_DIGITS = /^(M|T|S|H|R|明治|大正|昭和|平成|令和)(\d{2})(\d{2})(\d{2})$/
const WESTERN = /^(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?$/
const WESTERN_DIGITS = /^(\d{4})(\d{2})(\d{2})$/

/** `19480503`, `1948/5/3`, `1948年5月3日`, `S23.5.3`, `S230503`, `昭和23年5月3日`, `令和元年5月1日`, in any width. */
export function dateTyped(text: string): LocalDate | null {
  const typed = text.normalize('NFKC').replaceAll(/\s/g, '').toUpperCase()
  const era = ERA_DATE.exec(typed) ?? ERA_DIGITS.exec(typed)
  if (era)
    return dateOf((ERAS[era[1] as string] ?? 0) + (era[2] === '元' ? 1 : Number(era[2])), era[3], era[4])
  const western = WESTERN.exec(typed) ?? WESTERN_DIGITS.exec(typed)
  return western ? dateOf(Number(western[1]), western[2], western[3]) : null
}

function dateOf(year: number, month: string | undefined, day: string | undefined): LocalDate | null {
  const date = `${String(year).padStart(4, '0')}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}`
  return isLocalDate(date) ? date : null
}

export interface Query {
  number: string | null
  /** The number inside the start and stop signs of a barcode (`*0012*`, `A0012B`), where a scanner sends them too. */
  framed: string | null
  birthDate: LocalDate | null
  /** One key per name form that the words may be. */
  kana: string | null
  kanji: string | null
}

/** Code 39 stands between asterisks, NW-7 (the usual one on registration cards) between two of A to D. */
const FRAMED = /^(?:\*([A-Z0-9.-]+)\*|[A-D]([0-9-]{3,})[A-D])$/

function framedNumber(word: string): string | null {
  const found = FRAMED.exec(word.toUpperCase())
  const inside = found?.[1] ?? found?.[2]
  return inside === undefined ? null : numberKey(inside)
}

/** What somebody at the counter typed: a number, a date, a name, or a name and a date. Eight digits may be either. */
export function queryOf(typed: string): Query {
  const query: Query = { number: null, framed: null, birthDate: null, kana: null, kanji: null }
  const names: string[] = []
  for (const word of typed
    .normalize('NFKC')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .split(/\s+/)) {
    const date = dateTyped(word)
    if (date !== null) query.birthDate = date
    query.framed ??= framedNumber(word)
    if (/\d/.test(word) && /^[A-Za-z0-9.:_-]+$/.test(word)) query.number = numberKey(word)
    else if (date === null && query.framed === null && word !== '') names.push(word)
  }
  const name = names.join('')
  if (name !== '' && isKana(name)) query.kana = kanaKey(name)
  else if (name !== '') query.kanji = kanjiKey(name)
  return query
}
