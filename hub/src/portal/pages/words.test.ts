import { ITEM_CLASSES } from '@kakehashi/protocol/rules/state'
import { withoutReadings } from '@kakehashi/ui/markup'
import { expect, test } from 'vitest'
import { LANGUAGES } from './layout.ts'
import { PORTAL_EASY } from './words.easy.ts'
import { PORTAL_JA, type PortalWords } from './words.ja.ts'

function textsOf(words: PortalWords): string[] {
  return Object.values(words).flatMap((value) => {
    if (typeof value === 'string') return [value]
    if (Array.isArray(value)) return value
    return [String((value as (...args: unknown[]) => string)('0120', '架空'))]
  })
}

test('every language says everything, in lists of equal length', () => {
  for (const words of Object.values(LANGUAGES)) {
    const empty = Object.entries(words).filter(([key, value]) => value === '' && key !== 'governing')
    expect(empty).toEqual([])
    for (const key of ['reassure', 'about', 'steps', 'nextItems', 'eraseTold', 'itemClasses'] as const)
      expect(words[key]).toHaveLength(PORTAL_JA[key].length)
    expect(words.itemClasses).toHaveLength(ITEM_CLASSES.length)
  }
})

test('やさしい日本語: every kanji has its reading', () => {
  const bare = textsOf(PORTAL_EASY)
    .map((text) => text.replaceAll(/\{[^{}|]+\|[ぁ-んー]+\}/g, '').replaceAll(/架空/g, ''))
    .filter((text) => /\p{Script=Han}/u.test(text))
  expect(bare.filter((text) => text !== 'やさしい日本語')).toEqual([])
})

test('やさしい日本語: short sentences', () => {
  const sentences = textsOf(PORTAL_EASY).flatMap((text) => withoutReadings(text).split('。'))
  expect(sentences.filter((sentence) => sentence.length > 50)).toEqual([])
})

test('every translated page says that the Japanese text governs', () => {
  for (const [language, words] of Object.entries(LANGUAGES))
    expect(/日本語|日文/.test(words.governing)).toBe(language !== 'ja')
})
