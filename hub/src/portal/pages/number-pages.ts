import { banner } from '@kakehashi/ui/banner'
import { button } from '@kakehashi/ui/button'
import { errorSummary } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import type { Context, Hono } from 'hono'
import {
  donePage,
  errorsIn,
  progress,
  REQUESTERS,
  requesterWords,
  titled,
  wishOf,
  wishPart,
  type Requester,
  type Wish,
} from './ask.ts'
import { LANGUAGES, layout, type Around, type Language } from './layout.ts'
import { readBirthDate, readPatientNumber } from './typed.ts'

export interface Hospital {
  facility: string
  name: string
}

export interface StopByNumber {
  facility: string
  number: string
  birthDate: string
  requester: Requester
  erasureAsked: boolean
}

export interface NumberStopParts {
  hospitals(): Promise<Hospital[]>
  /** Sealed to the vault; the same for a patient and for anybody else. `null`: too many now. */
  takeNumberStop(asked: StopByNumber, c: Context): Promise<{ receipt: string } | null>
}

type Field = 'hospital' | 'number' | 'birth' | 'who'
type Typed = Record<Field, string> & { wish: Wish }

interface Read {
  hospital: Hospital | undefined
  number: string | null
  birthDate: string | null
  requester: Requester | undefined
}

const RECEIPT = /^[A-Z0-9][A-Z0-9-]{3,39}$/

async function typedIn(c: Context): Promise<Typed & { erasure: string }> {
  const form = await c.req.parseBody()
  const text = (name: string) => {
    const value = form[name]
    return typeof value === 'string' ? value.slice(0, 64) : ''
  }
  return {
    hospital: text('hospital'),
    number: text('number'),
    birth: text('birth'),
    who: text('who'),
    wish: wishOf(text('wish')),
    erasure: text('erasure'),
  }
}

function whoPage(around: Around, hospitals: readonly Hospital[], typed: Typed, wrong: Field[]): Markup {
  const w = LANGUAGES[around.language]
  const { errors, errorOf } = errorsIn(wrong, {
    hospital: w.hospitalError,
    number: w.patientNumberError,
    birth: w.birthError,
    who: w.requesterError,
  })
  const names = requesterWords(w)
  return layout(
    around,
    titled(w, w.noPaper, errors),
    html`${progress(w, 0)}${errorSummary(r(w.errorTitle), errors)}
      <h1>${r(w.noPaper)}</h1>
      <p>${r(w.noPaperLead)}</p>
      <form method="post" action="/${around.language}/nopaper/check">
        ${hiddenField('wish', typed.wish)}
        ${radios({ name: 'hospital', label: r(w.hospitalLabel), chosen: typed.hospital, error: errorOf('hospital'), choices: hospitals.map(({ facility, name }) => ({ value: facility, text: html`<span lang="ja">${name}</span>` })) })}
        ${textField({ name: 'number', label: r(w.patientNumberLabel), hint: r(w.patientNumberHint), value: typed.number, maxlength: 30, error: errorOf('number') })}
        ${textField({ name: 'birth', label: r(w.birthLabel), hint: r(w.birthHint), value: typed.birth, maxlength: 12, inputmode: 'numeric', width: 'short', error: errorOf('birth') })}
        ${radios({ name: 'who', label: r(w.requesterLabel), chosen: typed.who, error: errorOf('who'), choices: REQUESTERS.map((value) => ({ value, text: r(names[value]) })) })}
        ${button({ text: r(w.next) })}
      </form>`,
  )
}

function checkPage(around: Around, typed: Typed, hospital: Hospital, erasureError: boolean): Markup {
  const w = LANGUAGES[around.language]
  const errors = erasureError ? [{ field: 'erasure', text: r(w.erasureError) }] : []
  const carried = Object.entries(around.carried ?? {}).map(([key, value]) => hiddenField(key, value))
  const who = REQUESTERS.find((one) => one === typed.who) ?? 'person'
  return layout(
    around,
    titled(w, w.confirmTitle, errors),
    html`${progress(w, 1)}${errorSummary(r(w.errorTitle), errors)}
      <h1>${r(w.confirmTitle)}</h1>
      ${summaryList([
        { term: r(w.hospitalLabel), detail: html`<span lang="ja">${hospital.name}</span>` },
        { term: r(w.patientNumberLabel), detail: typed.number },
        { term: r(w.birthLabel), detail: typed.birth },
        { term: r(w.requesterLabel), detail: r(requesterWords(w)[who]) },
      ])}
      <form method="post" action="/${around.language}/nopaper/stop">
        ${carried} ${wishPart(w, typed.wish, errors[0]?.text)}
        ${banner({ kind: 'note', label: r(w.scopeTitle), text: r(w.noPaperScope) })}
        ${button({ text: r(typed.wish === 'erase' ? w.eraseButton : w.stop) })}
      </form>
      <form method="post" action="/${around.language}/nopaper">
        ${carried}${button({ text: r(w.back), kind: 'secondary' })}
      </form>`,
  )
}

export type AroundOf = (language: Language, rest: string, carried?: Record<string, string>) => Around

async function readIn(parts: NumberStopParts, c: Context) {
  const typed = await typedIn(c)
  const hospitals = await parts.hospitals()
  const read: Read = {
    hospital: hospitals.find((one) => one.facility === typed.hospital),
    number: readPatientNumber(typed.number),
    birthDate: readBirthDate(typed.birth),
    requester: REQUESTERS.find((one) => one === typed.who),
  }
  return { typed, hospitals, read }
}

function wrongIn(read: Read): Field[] {
  return [
    ...(read.hospital ? [] : ['hospital' as const]),
    ...(read.number === null ? ['number' as const] : []),
    ...(read.birthDate === null ? ['birth' as const] : []),
    ...(read.requester ? [] : ['who' as const]),
  ]
}

export function busyPage(around: Around): Markup {
  const w = LANGUAGES[around.language]
  const main = html`<h1>${r(w.busyTitle)}</h1>
    <p>${r(w.busyText)}</p>
    <p>${r(w.otherDesk)}</p>`
  return layout(around, w.busyTitle, main)
}

/** Without the paper: hospital, patient number and birth date. Nothing is looked up here, so nothing can be told. */
export function addNumberPages(
  app: Hono,
  parts: NumberStopParts,
  language: Language,
  around: AroundOf,
): void {
  const here = (rest: string, { hospital, number, birth, who, wish }: Typed) =>
    around(language, `/nopaper${rest}`, { hospital, number, birth, who, wish })

  app.get(`/${language}/nopaper`, async (c) => {
    const empty: Typed = { hospital: '', number: '', birth: '', who: '', wish: 'stop' }
    return c.html(whoPage(around(language, '/nopaper'), await parts.hospitals(), empty, []))
  })
  app.post(`/${language}/nopaper`, async (c) => {
    const { typed, hospitals } = await readIn(parts, c)
    return c.html(whoPage(here('', typed), hospitals, typed, []))
  })
  app.post(`/${language}/nopaper/check`, async (c) => {
    const { typed, hospitals, read } = await readIn(parts, c)
    const wrong = wrongIn(read)
    if (wrong.length > 0 || !read.hospital)
      return c.html(whoPage(here('', typed), hospitals, typed, wrong), 422)
    return c.html(checkPage(here('/check', typed), typed, read.hospital, false))
  })
  app.post(`/${language}/nopaper/stop`, async (c) => {
    const { typed, read } = await readIn(parts, c)
    const { hospital, number, birthDate, requester } = read
    if (!hospital || number === null || birthDate === null || !requester)
      return c.redirect(`/${language}/nopaper`, 303)
    if (typed.erasure !== 'yes' && typed.erasure !== 'no')
      return c.html(checkPage(here('/check', typed), typed, hospital, true), 422)
    const { facility } = hospital
    const erasureAsked = typed.erasure === 'yes'
    const taken = await parts.takeNumberStop({ facility, number, birthDate, requester, erasureAsked }, c)
    return taken
      ? c.redirect(`/${language}/asked/${taken.receipt}`, 303)
      : c.html(busyPage(around(language, '')), 429)
  })
  app.get(`/${language}/asked/:receipt`, (c) => {
    const receipt = c.req.param('receipt') ?? ''
    if (!RECEIPT.test(receipt)) return c.notFound()
    return c.html(donePage(around(language, `/asked/${receipt}`), receipt, true))
  })
}
