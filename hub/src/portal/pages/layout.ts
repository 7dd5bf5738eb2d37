import { BASE_CSS, PRINT_CSS } from '@kakehashi/ui/assets'
import { hiddenField } from '@kakehashi/ui/field'
import { frame } from '@kakehashi/ui/frame'
import { html, withoutReadings, withReadings, type Markup } from '@kakehashi/ui/markup'
import { PORTAL_EASY } from './words.easy.ts'
import { PORTAL_EN } from './words.en.ts'
import { PORTAL_JA, type PortalWords } from './words.ja.ts'
import { PORTAL_KO } from './words.ko.ts'
import { PORTAL_NE } from './words.ne.ts'
import { PORTAL_PT } from './words.pt.ts'
import { PORTAL_TL } from './words.tl.ts'
import { PORTAL_VI } from './words.vi.ts'
import { PORTAL_ZH_HANS } from './words.zh-hans.ts'
import { PORTAL_ZH_HANT } from './words.zh-hant.ts'

export const LANGUAGES = {
  ja: PORTAL_JA,
  easy: PORTAL_EASY,
  en: PORTAL_EN,
  'zh-hans': PORTAL_ZH_HANS,
  'zh-hant': PORTAL_ZH_HANT,
  ko: PORTAL_KO,
  vi: PORTAL_VI,
  pt: PORTAL_PT,
  tl: PORTAL_TL,
  ne: PORTAL_NE,
} as const satisfies Record<string, PortalWords>
export type Language = keyof typeof LANGUAGES

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text)
}

const CODES: readonly (readonly [RegExp, Language])[] = [
  [/^zh-(hant|tw|hk|mo)/, 'zh-hant'],
  [/^zh/, 'zh-hans'],
  [/^(tl|fil)/, 'tl'],
  [/^(ja|\*)/, 'ja'],
  [/^ko/, 'ko'],
  [/^vi/, 'vi'],
  [/^pt/, 'pt'],
  [/^ne/, 'ne'],
]

/** The first language a browser asks for; English when we have it not. */
export function languageFor(accepted: string): Language {
  const first = accepted.trim().toLowerCase()
  if (first === '') return 'ja'
  return CODES.find(([code]) => code.test(first))?.[1] ?? 'en'
}

export interface OperatorContact {
  name: string
  address: string
  phone: string | null
}

export interface Around {
  language: Language
  operator: OperatorContact
  /** This page in another language; with `carried`, by a form that keeps what was entered. */
  pathIn: (language: Language) => string
  carried?: Record<string, string>
}

function languageLinks(view: Around): Markup {
  const others = (Object.keys(LANGUAGES) as Language[]).filter((one) => one !== view.language)
  const label = withoutReadings(LANGUAGES[view.language].languages)
  const name = (one: Language) =>
    html`<span lang="${LANGUAGES[one].htmlLang}">${LANGUAGES[one].languageName}</span>`
  if (!view.carried)
    return html`<nav class="header__aside" aria-label="${label}">
      ${others.map((one) => html`<a href="${view.pathIn(one)}">${name(one)}</a>`)}
    </nav>`
  return html`<form class="header__aside" method="post" aria-label="${label}">
    ${Object.entries(view.carried).map(([key, value]) => hiddenField(key, value))}${others.map((one) => html`<button type="submit" class="button" data-kind="plain" formaction="${view.pathIn(one)}">${name(one)}</button>`)}
  </form>`
}

/** The frame of every portal page: no script, two style sheets, nothing from elsewhere. */
export function layout(view: Around, title: string, main: Markup): Markup {
  const words = LANGUAGES[view.language]
  const { operator } = view
  return frame({
    lang: words.htmlLang,
    readings: view.language === 'easy',
    title: withoutReadings(title),
    skip: withReadings(words.skip),
    name: withReadings(words.name),
    aside: languageLinks(view),
    main,
    footer: html`<p>
        ${withReadings(words.operator)}${operator.name}${operator.phone ? html` <a class="footer__phone" href="tel:${operator.phone.replaceAll(/[^+0-9-]/g, '')}">${operator.phone}</a>` : ''}
      </p>
      ${words.governing ? html`<p>${withReadings(words.governing)}</p>` : ''}`,
    styles: [{ href: BASE_CSS.path }, { href: PRINT_CSS.path, media: 'print' }],
    width: 'narrow',
  })
}
