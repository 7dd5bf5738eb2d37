import { noticeId, stopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { longDate } from '@kakehashi/ui/dates'
import type { Hono } from 'hono'
import { aboutPatient } from '../context.ts'
import { confirmNotice, recordNotice, undoStop, voidNotice } from '../register/flow.ts'
import { facilityStateOf, noticeEvent, patientStateOf } from '../register/read.ts'
import { noticePaperPage } from './pages/papers.ts'
import { patientPage } from './pages/patient.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { Sessions } from './session.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

const RECIPIENTS = {
  person: { recipients: ['person'], recipientState: 'able' },
  guardian: { recipients: ['guardian'], recipientState: 'able' },
  both: { recipients: ['person', 'guardian'], recipientState: 'able' },
  unable: { recipients: ['person'], recipientState: 'unable' },
} as const

function isRecipient(text: string): text is keyof typeof RECIPIENTS {
  return Object.hasOwn(RECIPIENTS, text)
}

export function patientRoutes(
  app: Hono<CounterEnv>,
  parts: CounterParts,
  sessions: Sessions,
  views: CounterViews,
): void {
  const { context, people } = parts

  app.use('/patient/:handle/*', async (c, next) => {
    const patient = c.get('session').handles.get(c.req.param('handle'))
    const person = patient ? await people.read(patient) : null
    if (!person) return c.notFound()
    c.set('person', person)
    return next()
  })

  app.get('/patient/:handle', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    if (!session.opened.has(patient)) {
      session.opened.add(patient)
      const about = aboutPatient(context, patient)
      await context.store.transact({ act: 'patient.opened', actor: session.staff.id, about }, async () => {})
    }
    return c.html(patientPage(await views.desk(session), await views.patient(session, c.get('person'))))
  })

  app.post('/patient/:handle/notice', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const to = String((await c.req.parseBody())['to'] ?? '')
    if (!isRecipient(to)) throw new Refused('REQUEST_MALFORMED', 'to')
    const withToken = to !== 'unable'
    const done = await recordNotice(context, { patient, by: session.staff.id, withToken, ...RECIPIENTS[to] })
    session.message = {
      kind: 'done',
      text: W.noticeRecorded,
      ...(done.token ? { more: W.noticeRecordedMore } : {}),
    }
    if (!done.token) return c.redirect(`/patient/${c.req.param('handle')}`, 303)
    const paper = sessions.keepPaper(session, { patient, token: done.token, deliveredAt: done.deliveredAt })
    return c.redirect(`/paper/${paper}`, 303)
  })

  app.post('/patient/:handle/confirm-notice', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const notice = noticeId(String((await c.req.parseBody())['notice'] ?? ''))
    if ((await noticeEvent(context.store.db, notice))?.patient !== patient)
      throw new Refused('NOT_FOUND', 'notice')
    await confirmNotice(context, { notice, by: session.staff.id })
    session.message = { kind: 'done', text: W.noticeRecorded }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })

  app.post('/patient/:handle/undo', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const form = await c.req.parseBody()
    const id = String(form['id'] ?? '')
    const by = session.staff.id
    try {
      if (form['kind'] === 'stop') {
        const state = await patientStateOf(context.store.db, patient)
        if (!state.stops.some((one) => one.stop === id)) throw new Refused('NOT_FOUND', 'stop')
        await undoStop(context, { stop: stopId(id), by })
      } else {
        const given = await noticeEvent(context.store.db, noticeId(id))
        if (given?.patient !== patient) throw new Refused('NOT_FOUND', 'notice')
        await voidNotice(context, { notice: noticeId(id), by, reason: 'undone' })
      }
      session.message = { kind: 'done', text: W.undone, more: W.undoneMore }
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code !== 'NOT_ALLOWED') throw error
      session.message = { kind: 'warning', text: W.undoTooLate }
    }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })

  app.get('/paper/:paper', async (c) => {
    const session = c.get('session')
    const paper = session.papers.get(c.req.param('paper'))
    const facility = await facilityStateOf(context.store.db, context.facility)
    const template = (facility?.templates ?? [])
      .filter((one) => one.track === context.track)
      .toSorted((a, b) => b.version - a.version)[0]
    const text = template ? parts.settings.noticeText(template.hash) : null
    if (!paper || text === null) {
      session.message = { kind: 'warning', text: W.paperGone }
      return c.redirect('/', 303)
    }
    const { portalAddress, operatorPhone, facilityName } = parts.settings
    return c.html(
      noticePaperPage(await views.desk(session), {
        hospital: hospitalLines(facilityName, facility?.entity ?? null),
        text,
        token: paper.token,
        address: portalAddress ? `${portalAddress}/q/${paper.token}` : null,
        addressShown: portalAddress,
        phone: operatorPhone,
        day: longDate(tokyoDate(paper.deliveredAt)),
      }),
    )
  })
}

/** The legal person stands under the paper: Art. 52 names name, address and representative. */
export function hospitalLines(
  facilityName: string,
  entity: { name: string; address: string; representative: string } | null,
): string[] {
  return entity ? [facilityName, entity.name, entity.address, entity.representative] : [facilityName]
}
