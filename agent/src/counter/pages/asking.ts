import type { Track } from '@kakehashi/protocol/rules/state'
import { banner } from '@kakehashi/ui/banner'
import type { FieldError } from '@kakehashi/ui/error-summary'
import { radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'

/** The questions of a stop, in the order in which they are asked; each answer is one key. */

export const REQUESTERS = ['person', 'guardian', 'family', 'agent'] as const
export const CHECKS = ['card', 'document', 'known', 'none'] as const
export const SCOPES = ['all', 'ANON', 'PSEUDO'] as const
export const PLACES = ['this', 'all'] as const

const PLACE_KEYS: Record<(typeof PLACES)[number], string> = { this: 'k', all: 'h' }

/** What was answered so far; a faulty form comes back as it was sent. */
export interface Answers {
  who: string | null
  how: string
  relation: string
  scope: string
  places: string
  erasure: string
}

export function errorOf(errors: readonly FieldError[], field: string): FieldError['text'] | undefined {
  return errors.find((one) => one.field === field)?.text
}

export function whoField(chosen: string | null, errors: readonly FieldError[]): Markup {
  return radios({
    name: 'who',
    label: W.whoAsks,
    inline: true,
    chosen: chosen ?? undefined,
    choices: REQUESTERS.map((value, at) => ({ value, text: W.who[value], key: String(at + 1) })),
    error: errorOf(errors, 'who'),
  })
}

export function relationField(value: string): Markup {
  return textField({
    name: 'relation',
    label: W.relation,
    hint: W.relationHint,
    width: 'short',
    maxlength: 40,
    value,
  })
}

export function howField(chosen: string, errors: readonly FieldError[]): Markup {
  return radios({
    name: 'how',
    label: W.howConfirmed,
    hint: W.howNoneHint,
    inline: true,
    chosen,
    choices: CHECKS.map((value, at) => ({ value, text: W.how[value], key: String(at + 5) })),
    error: errorOf(errors, 'how'),
  })
}

/** Where one track is notified there is nothing to choose: all of it stops. */
export function scopeField(tracks: readonly Track[], chosen: string, errors: readonly FieldError[]): Markup {
  return html`${
    tracks.length > 1
      ? radios({
          name: 'scope',
          label: W.scopeQuestion,
          chosen,
          choices: SCOPES.map((value) => ({ value, text: W.scope[value] })),
          error: errorOf(errors, 'scope'),
        })
      : ''
  }${banner({ kind: 'note', label: W.scopeHeading, text: W.scopeText })}`
}

export function placesField(chosen: string, errors: readonly FieldError[]): Markup {
  return radios({
    name: 'places',
    label: W.places,
    hint: W.placesHint,
    chosen,
    choices: PLACES.map((value) => ({ value, text: W.placesAre[value], key: PLACE_KEYS[value] })),
    error: errorOf(errors, 'places'),
  })
}

export function erasureField(chosen: string, errors: readonly FieldError[]): Markup {
  return radios({
    name: 'erasure',
    label: W.erasure,
    hint: W.erasureHint,
    chosen,
    choices: [
      { value: 'no', text: W.erasureNo, key: '9' },
      { value: 'yes', text: W.erasureYes, key: '0' },
    ],
    error: errorOf(errors, 'erasure'),
  })
}
