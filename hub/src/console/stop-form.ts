import { facilityId } from '@kakehashi/protocol/ids'
import { compareDates, isLocalDate, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FieldError } from '@kakehashi/ui/error-summary'
import { kanaCode } from '../linkage/normalise.ts'
import { CHANNELS, IDENTITY_CHECKS, type NamedAsk } from '../requests/intake.ts'
import { REQUESTERS, TRACK_CHOICES, type StopFormView } from './pages/stop-new.ts'
import type { Hospital } from './stop-read.ts'
import { W } from './words.ja.ts'

/** The year before the first of each era. */
const ERA_BEFORE: Record<string, number> = { M: 1867, T: 1911, S: 1925, H: 1988, R: 2018 }

type Form = Record<string, unknown>

/** What the clerk typed, all mistakes at once; where nothing was said the broadest is meant (R18). */
export function readStopForm(
  form: Form,
  places: readonly Hospital[],
  now: number,
): { view: StopFormView; asked: Omit<NamedAsk, 'by'> | null } {
  const text = (name: string, most = 200): string =>
    String(form[name] ?? '')
      .trim()
      .slice(0, most)
  const channel = CHANNELS.find((one) => one === form['channel'])
  const requester = REQUESTERS.find((one) => one === form['requester'])
  const identityCheck = IDENTITY_CHECKS.find((one) => one === form['how'])
  const chosen = [form['facility'] ?? []].flat().map(String)
  const facilities = places
    .filter((one) => chosen.includes(one.facility))
    .map((one) => facilityId(one.facility))
  const birth = dateOf(text('born', 20))
  const errors: FieldError[] = []
  const wrong = (field: string, said: string) => errors.push({ field, text: said })
  if (!channel) wrong('channel', W.channelChoose)
  if (!requester) wrong('requester', W.requesterChoose)
  if (text('requesterName') === '') wrong('requesterName', W.requesterNameMissing)
  if (kanaCode(text('kana')) === null) wrong('kana', W.kanaMissing)
  if (birth === 'bad' || (birth !== null && compareDates(birth, tokyoDate(now)) > 0))
    wrong('born', W.bornWrong)
  if (!identityCheck || identityCheck === 'portal') wrong('how', W.howChoose)
  const track = TRACK_CHOICES.find((one) => one === form['track']) ?? 'both'
  const erase = form['erase'] === 'yes'
  const view: StopFormView = {
    values: Object.fromEntries(
      ['requesterName', 'relation', 'name', 'kana', 'born', 'number', 'contact', 'ticket'].map((one) => [
        one,
        text(one),
      ]),
    ),
    ...{ channel, requester, how: identityCheck, track, erase: erase ? 'yes' : 'no', facilities: chosen },
    errors,
  }
  if (errors.length > 0 || !channel || !requester || !identityCheck || birth === 'bad')
    return { view, asked: null }
  const asked = {
    person: {
      name: text('name'),
      kana: text('kana'),
      birthDate: birth,
      number: text('number', 64) || null,
      requesterName: text('requesterName'),
      relation: text('relation') || null,
      contact: text('contact') || null,
    },
    ...{ requester, channel, identityCheck, erasureWanted: erase },
    facilities: facilities.length === 0 ? null : facilities,
    tracks: track === 'both' ? null : [track],
  }
  return { view, asked }
}

/** `1948-05-03`, `19480503`, `S23.5.3`; empty: unknown. */
function dateOf(text: string): ReturnType<typeof tokyoDate> | null | 'bad' {
  const typed = text.normalize('NFKC').toUpperCase()
  if (typed === '') return null
  const plain = /^(\d{4})[./-]?(\d{1,2})[./-]?(\d{1,2})$/.exec(typed)
  const era = /^([MTSHR])(\d{1,2})[./-](\d{1,2})[./-](\d{1,2})$/.exec(typed)
  const [year, month = '', day = ''] = era
    ? [(ERA_BEFORE[era[1] ?? ''] ?? 0) + Number(era[2]), era[3], era[4]]
    : [Number(plain?.[1]), plain?.[2], plain?.[3]]
  const date = `${String(year).padStart(4, '0')}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  return isLocalDate(date) ? date : 'bad'
}
