import type { Instant } from '@kakehashi/protocol/env'
import { isLocalDate, startOfDay } from '@kakehashi/protocol/rules/calendar'
import type { NoticeMethod, RecipientRole } from '@kakehashi/protocol/rules/state'
import { dateTyped } from '../patients/words.ts'
import { meaning, WORDS, type Field, type Mapping } from './mapping.ts'
import { momentOf, momentTyped } from './moment.ts'
import { LineRefused } from './reasons.ts'

/** What one line says, before anything is known of the patient. */
export interface ReadLine {
  number: string
  at: Instant
  /** No time of day was given: any moment of that day is meant. */
  wholeDay: boolean
  recipients: readonly RecipientRole[]
  relation: string | null
  method: NoticeMethod
  state: 'printed' | 'handed' | 'cancelled'
  staff: string | null
  confirmedBy: string | null
  job: string | null
  visit: string | null
  paper: string | null
  version: number | null
}

const SAFE = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/

/** Throws {@link LineRefused} with the reason, and nothing else. */
export function readLine(cell: (field: Field) => string, mapping: Mapping): ReadLine {
  const { csv } = mapping
  const number = cell('patient').normalize('NFKC').trim()
  if (number === '') throw new LineRefused('PATIENT_EMPTY')
  if (!/^[A-Za-z0-9._:-]{1,64}$/.test(number)) throw new LineRefused('PATIENT_MALFORMED')
  const method = methodOf(cell('method'), mapping)
  const told = cell('state').trim()
  const state =
    told === '' ? (method === 'kiosk' ? 'printed' : 'handed') : meaning(told, WORDS.state, csv.state)
  if (state === null) throw new LineRefused('STATE_UNKNOWN')
  return {
    number,
    ...moment(cell),
    recipients: recipients(cell('recipient'), mapping),
    relation: cell('relation').normalize('NFKC').trim().slice(0, 40) || null,
    method: method === 'kiosk' && state === 'handed' ? 'handed' : method,
    state,
    staff: id(cell('staff')),
    confirmedBy: id(cell('confirmedBy')),
    job: id(cell('job')),
    visit: id(cell('visit')),
    paper: id(cell('paper')),
    version: version(cell('version')),
  }
}

function methodOf(told: string, mapping: Mapping): ReadLine['method'] {
  if (told.trim() === '') return mapping.csv.usualMethod
  const method = meaning(told, WORDS.method, mapping.csv.method)
  if (method === null) throw new LineRefused('METHOD_UNKNOWN')
  return method
}

function recipients(told: string, mapping: Mapping): readonly RecipientRole[] {
  if (told.trim() === '') return ['person']
  const who = meaning(told, WORDS.recipient, mapping.csv.recipient)
  if (who === null) throw new LineRefused('RECIPIENT_UNKNOWN')
  return who === 'both' ? ['person', 'guardian'] : [who]
}

function moment(cell: (field: Field) => string): { at: Instant; wholeDay: boolean } {
  const whole = cell('at').trim()
  const [date, time] = [cell('date').trim(), cell('time').trim()]
  if (whole === '' && date === '') throw new LineRefused('DATE_EMPTY')
  const at = whole !== '' ? momentTyped(whole) : time !== '' ? momentOf(date, time) : null
  if (at !== null) return { at, wholeDay: false }
  const day = time === '' ? dateTyped(whole !== '' ? whole : date) : null
  if (day === null || !isLocalDate(day)) throw new LineRefused('DATE_UNREADABLE')
  return { at: startOfDay(day), wholeDay: true }
}

function id(told: string): string | null {
  const text = told.normalize('NFKC').trim()
  if (text === '') return null
  if (!SAFE.test(text)) throw new LineRefused('ID_MALFORMED')
  return text
}

function version(told: string): number | null {
  const text = told.normalize('NFKC').trim().replace(/^第/, '').replace(/版$/, '')
  if (text === '') return null
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new LineRefused('VERSION_UNKNOWN')
  return Number(text)
}
