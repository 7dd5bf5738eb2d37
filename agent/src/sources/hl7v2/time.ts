import { isLocalDate } from '@kakehashi/protocol/rules/calendar'

const TIME =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.?(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?$/

/**
 * An HL7 time as FHIR writes it, no more exact than it was told; without an offset it is Tokyo's. The fraction may
 * follow without a dot (17 digits). `null`: no such time.
 */
export function fhirTime(text: string): string | null {
  const [, year, month, day, hour, minute = '00', second = '00', fraction, offset] =
    TIME.exec(text.trim()) ?? []
  if (year === undefined || year === '0000') return null
  if (month === undefined) return year
  if (!isLocalDate(`${year}-${month}-${day ?? '01'}`)) return null
  if (day === undefined) return `${year}-${month}`
  if (hour === undefined) return `${year}-${month}-${day}`
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const zone = offset === undefined ? '+09:00' : `${offset.slice(0, 3)}:${offset.slice(3)}`
  const exact = fraction === undefined || /^0+$/.test(fraction) ? '' : `.${fraction}`
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${exact}${zone}`
}

/** The day, where one was told. */
export function fhirDate(text: string): string | null {
  return fhirTime(text)?.slice(0, 10) ?? null
}
