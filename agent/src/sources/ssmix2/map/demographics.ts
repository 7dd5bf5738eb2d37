import { isKana } from '../../../patients/words.ts'
import type { Composite, Segment } from '../../hl7v2/message.ts'
import { fhirDate } from '../../hl7v2/time.ts'
import { filled, type Json } from './source.ts'

const REPRESENTATION = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'
const MARKS: Readonly<Record<string, string>> = { I: 'IDE', P: 'SYL', A: 'ABC' }

/**
 * Names by what they are marked as (one vendor marks them a component early); unmarked ones, and two whose marks
 * contradict their letters, by their letters (S10).
 */
export function humanNames(names: readonly Composite[]): Json[] {
  const read = names.flatMap((name) => {
    const [family, given] = [name.text(1), name.text(2)]
    const text = [family, given].filter((part) => part !== '').join(' ')
    if (text === '') return []
    const mark = MARKS[name.text(8)] ?? MARKS[name.text(7)]
    return [{ family, given, text, mark, kana: isKana(text) }]
  })
  const contradicted =
    read.some((name) => name.mark === 'IDE' && name.kana) &&
    !read.some((name) => name.mark === 'IDE' && !name.kana)
  return read.map(({ family, given, text, mark, kana }) => {
    const guess = kana ? 'SYL' : /^[\x20-\x7e]+$/.test(text) ? 'ABC' : 'IDE'
    const valueCode = mark === undefined || contradicted ? guess : mark
    return filled({
      extension: [{ url: REPRESENTATION, valueCode }],
      use: 'official',
      text,
      family,
      given: given === '' ? [] : [given],
    })
  })
}

const STATE = /^(東京都|北海道|(?:京都|大阪)府|[^都道府県]{2,3}県)/

export function addresses(told: readonly Composite[]): Json[] {
  return told.flatMap((one) => {
    const text =
      one.text(8) ||
      [4, 3, 1, 2]
        .map((part) => one.text(part))
        .filter((part) => part !== '')
        .join('')
    const postalCode = one.text(5)
    if (text === '' && postalCode === '') return []
    const use = { H: 'home', B: 'work' }[one.text(7)]
    return [
      filled({
        use,
        text,
        state: STATE.exec(text.normalize('NFKC'))?.[1],
        postalCode,
        country: country(one.text(6)),
      }),
    ]
  })
}

function country(code: string): string | undefined {
  return code === 'JPN' ? 'JP' : code || undefined
}

export function phones(segment: Segment, fields: readonly [field: number, use: string][]): Json[] {
  return fields.flatMap(([field, use]) =>
    segment.repetitions(field).flatMap((one) => {
      const value = one.text(12) || one.text(1)
      return value === '' || !/\d/.test(value) ? [] : [{ system: 'phone', value, use }]
    }),
  )
}

const SEXES: Readonly<Record<string, string>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  U: 'unknown',
  N: 'unknown',
}

/** One vendor writes birth date and sex in each other's place (S13). */
export function birthAndSex(pid: Segment): { birthDate?: string; gender?: string } {
  const [seventh, eighth] = [pid.text(7), pid.text(8)]
  const swapped = seventh in SEXES && fhirDate(eighth) !== null
  const birthDate = fhirDate(swapped ? eighth : seventh)
  const gender = SEXES[swapped ? seventh : eighth]
  return { ...(birthDate && { birthDate }), ...(gender && { gender }) }
}
