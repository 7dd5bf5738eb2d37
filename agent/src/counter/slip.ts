import { stopId, type StopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { longTime, timeOfDay } from '@kakehashi/ui/dates'
import type { Hono } from 'hono'
import { openNameStops } from '../register/name-stop.ts'
import { electronicAgreed, patientStateOf, stopEvents } from '../register/read.ts'
import { slipsOfStop, type Slip } from '../register/slip.ts'
import { oneOf } from './answers.ts'
import { slipFile, slipPage, type SlipPageView } from './pages/papers.ts'
import { hospitalLines, type CounterEnv, type CounterParts } from './parts.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

interface Handed {
  at: number
  how: 'handed' | 'posted' | 'electronic'
}

/** The document of Art. 53 for one stop, as it was kept, and what became of it. */
class Slips {
  readonly #parts: CounterParts
  constructor(parts: CounterParts) {
    this.#parts = parts
  }

  /** The kept copy, if this stop is this patient's. */
  async ofPatient(person: CounterEnv['Variables']['person'], stop: string): Promise<Slip> {
    const { db } = this.#parts.context.store
    const state = await patientStateOf(db, person.patient)
    if (!state.stops.some((one) => one.stop === stop)) throw new Refused('NOT_FOUND', 'slip')
    return this.#of(stopId(stop))
  }

  /** The kept copy, if this stop was asked by name and still waits for its chart. */
  async ofName(stop: string): Promise<Slip> {
    const open = await openNameStops(this.#parts.context.store.db)
    if (!open.some(({ asked }) => asked.stop === stop)) throw new Refused('NOT_FOUND', 'slip')
    return this.#of(stopId(stop))
  }

  async #of(stop: StopId): Promise<Slip> {
    const [slip] = await slipsOfStop(this.#parts.context.store.db, stop)
    if (!slip) throw new Refused('NOT_FOUND', 'slip')
    return slip
  }

  async handed(slip: Slip): Promise<Handed | null> {
    const row = await this.#parts.context.store.db
      .selectFrom('slip')
      .select(['handed_at', 'handed_how'])
      .where('number', '=', slip.number)
      .executeTakeFirst()
    const how = oneOf(['handed', 'posted', 'electronic'], row?.handed_how)
    return row?.handed_at && how ? { at: row.handed_at, how } : null
  }

  async view(slip: Slip, base: string): Promise<SlipPageView> {
    const { context, settings, staff } = this.#parts
    const { db } = context.store
    const [asked] = await stopEvents(db, slip.stop)
    const handed = await this.handed(slip)
    return {
      base,
      number: slip.number,
      askedAt: longTime(slip.askedAt),
      requester: slip.relation ? `${W.who[slip.requester]}（${slip.relation}）` : W.who[slip.requester],
      hospital: hospitalLines(settings.facilityName, slip.entity),
      scope: slip.tracks?.length === 1 ? W.scope[slip.tracks[0] ?? 'all'] : W.scope.all,
      erasure: slip.erasureAsked,
      elsewhere: elsewhereInWords(slip),
      notes: slip.elsewhere ? [W.slipElsewhereNote] : [],
      staff: (asked && (await staff.read(asked.by))?.name) ?? W.origin[slip.origin],
      operator: [slip.operatorName, slip.operatorAddress].filter(Boolean).join(' '),
      contact: settings.operatorPhone ?? slip.operatorName,
      handed: handed ? W.handedHow[handed.how](timeOfDay(handed.at)) : null,
      electronic: asked
        ? {
            agreed: await electronicAgreed(db, slip.stop, context.env.now()),
            issued: handed?.how === 'electronic',
          }
        : null,
      code: slip.number,
    }
  }
}

function elsewhereInWords({ elsewhere, origin }: Slip): string {
  if (elsewhere) return W.slipElsewhereAll
  return origin === 'operator' ? W.slipElsewhereAsSaid : W.slipElsewhereNone
}

export function slipRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { register } = parts
  const slips = new Slips(parts)
  const base = (handle: string, stop: string) => `/patient/${handle}/slip/${stop}`

  app.get('/patient/:handle/slip/:stop', async (c) => {
    const { handle, stop } = c.req.param()
    const slip = await slips.ofPatient(c.get('person'), stop)
    return c.html(slipPage(await views.desk(c.get('session')), await slips.view(slip, base(handle, stop))))
  })

  app.post('/patient/:handle/slip/:stop/agree', async (c) => {
    const { handle, stop } = c.req.param()
    const slip = await slips.ofPatient(c.get('person'), stop)
    const agreed = oneOf(['yes', 'no'], (await c.req.parseBody())['agreed'])
    if (!agreed) throw new Refused('REQUEST_MALFORMED', 'agreed')
    const { id } = c.get('session').staff
    await register.agreeElectronicSlip({ stop: slip.stop, agreed: agreed === 'yes', by: id })
    return c.redirect(base(handle, stop), 303)
  })

  app.post('/patient/:handle/slip/:stop/handed', async (c) => {
    const session = c.get('session')
    const { handle, stop } = c.req.param()
    const slip = await slips.ofPatient(c.get('person'), stop)
    const how = oneOf(['handed', 'posted', 'electronic'], (await c.req.parseBody())['how'] ?? 'handed')
    if (!how) throw new Refused('REQUEST_MALFORMED', 'how')
    await register.handSlip({
      number: slip.number,
      by: session.staff.id,
      how,
      // The button says so: the address is the one that the requester named just now, never the chart's.
      ...(how === 'posted' ? { addressAgreed: true } : {}),
    })
    session.message = { kind: 'done', text: W.handedDone }
    return c.redirect(how === 'electronic' ? base(handle, stop) : '/', 303)
  })

  app.get('/patient/:handle/slip/:stop/file', async (c) => {
    const { handle, stop } = c.req.param()
    const slip = await slips.ofPatient(c.get('person'), stop)
    if ((await slips.handed(slip))?.how !== 'electronic') throw new Refused('NOT_FOUND', 'slip')
    c.header('content-disposition', `attachment; filename="kakuninsho-${slip.number}.html"`)
    return c.html(slipFile(await slips.view(slip, base(handle, stop))))
  })

  app.get('/named/:stop/slip', async (c) => {
    const { stop } = c.req.param()
    const view = await slips.view(await slips.ofName(stop), `/named/${stop}/slip`)
    return c.html(slipPage(await views.desk(c.get('session')), { ...view, electronic: null }))
  })

  app.post('/named/:stop/slip/handed', async (c) => {
    const session = c.get('session')
    const slip = await slips.ofName(c.req.param('stop'))
    await register.handSlip({ number: slip.number, by: session.staff.id })
    session.message = { kind: 'done', text: W.handedDone }
    return c.redirect('/', 303)
  })
}
