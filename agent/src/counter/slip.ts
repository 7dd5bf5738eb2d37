import { stopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { longTime, timeOfDay } from '@kakehashi/ui/dates'
import type { Hono } from 'hono'
import { patientStateOf, stopEvents } from '../register/read.ts'
import { slipsOfStop, type Slip } from '../register/slip.ts'
import { slipPage } from './pages/papers.ts'
import { hospitalLines, type CounterEnv, type CounterParts } from './parts.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

export function slipRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context, settings } = parts
  const { db } = context.store

  /** The kept copy, if this stop is this patient's. */
  const slipFor = async (patient: CounterEnv['Variables']['person'], stop: string): Promise<Slip> => {
    const state = await patientStateOf(db, patient.patient)
    const [slip] = state.stops.some((one) => one.stop === stop) ? await slipsOfStop(db, stopId(stop)) : []
    if (!slip) throw new Refused('NOT_FOUND', 'slip')
    return slip
  }

  app.get('/patient/:handle/slip/:stop', async (c) => {
    const session = c.get('session')
    const slip = await slipFor(c.get('person'), c.req.param('stop'))
    const [asked] = await stopEvents(db, slip.stop)
    const handed = await db
      .selectFrom('slip')
      .select('handed_at')
      .where('number', '=', slip.number)
      .executeTakeFirst()
    const contact = settings.operatorPhone
    return c.html(
      slipPage(await views.desk(session), {
        handle: c.req.param('handle'),
        stop: slip.stop,
        number: slip.number,
        askedAt: longTime(slip.askedAt),
        requester: slip.relation ? `${W.who[slip.requester]}（${slip.relation}）` : W.who[slip.requester],
        hospital: hospitalLines(settings.facilityName, slip.entity),
        scope: slip.tracks?.length === 1 ? W.scope[slip.tracks[0] ?? 'all'] : W.scope.all,
        erasure: slip.erasureAsked,
        staff: (asked && (await parts.staff.read(asked.by))?.name) ?? W.origin[slip.origin],
        operator: [slip.operatorName, slip.operatorAddress].filter(Boolean).join(' '),
        contact: contact ?? slip.operatorName,
        handedAt: handed?.handed_at ? timeOfDay(handed.handed_at) : null,
        code: slip.number,
      }),
    )
  })

  app.post('/patient/:handle/slip/:stop/handed', async (c) => {
    const session = c.get('session')
    const slip = await slipFor(c.get('person'), c.req.param('stop'))
    await parts.register.handSlip({ number: slip.number, by: session.staff.id })
    session.message = { kind: 'done', text: W.handedDone }
    return c.redirect('/', 303)
  })
}
