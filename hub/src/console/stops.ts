import { parsePatientKey } from '@kakehashi/protocol/ids'
import type { AskedPerson } from '@kakehashi/protocol/messages'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Context, Hono } from 'hono'
import { endElsewhere } from '../requests/left-stop.ts'
import { eraseAsAsked, IDENTITY_CHECKS, readSaid, takeNamedStop, verifyStop } from '../requests/intake.ts'
import { linkTicket } from '../requests/queued.ts'
import { aroundOf, door } from './door.ts'
import { stopForm, stopNewPage } from './pages/stop-new.ts'
import { stopPage, stopSlipPage, stopsPage } from './pages/stops.ts'
import type { ConsoleEnv, ConsoleParts } from './parts.ts'
import { mayEnter } from './rules.ts'
import { readStopForm } from './stop-form.ts'
import { hospitals, stopFile, stopLines, type StopFile } from './stop-read.ts'
import { W } from './words.ja.ts'

export function stopRoutes(app: Hono<ConsoleEnv>, parts: ConsoleParts): void {
  const desk = door(parts, 'desk')

  app.get('/stops', door(parts, 'stops'), async (c) =>
    c.html(stopsPage(aroundOf(c, parts), await stopLines(parts), await hospitals(parts))),
  )

  app.get('/stops/new', desk, async (c) =>
    c.html(stopNewPage(aroundOf(c, parts), await hospitals(parts), stopForm(c.req.query('ticket')))),
  )

  app.post('/stops/new', desk, async (c) => {
    const form = await c.req.parseBody({ all: true })
    const places = await hospitals(parts)
    const read = readStopForm(form, places, parts.env.now())
    if (!read.asked) return c.html(stopNewPage(aroundOf(c, parts), places, read.view), 422)
    const stop = await takeNamedStop(parts.vault, parts.identity, {
      ...read.asked,
      by: c.get('account').account,
    })
    const { ticket } = read.view.values
    if (ticket) await linkTicket(parts, { ticket, stop, by: c.get('account').account })
    c.get('session').message = W.stopTaken
    return c.redirect(`/stops/${encodeURIComponent(stop)}`, 303)
  })
  oneStopRoutes(app, parts)
}

function oneStopRoutes(app: Hono<ConsoleEnv>, parts: ConsoleParts): void {
  const desk = door(parts, 'desk')

  app.get('/stops/:stop', door(parts, 'stops'), async (c) => {
    const file = await stopFile(parts, c.req.param('stop'))
    return file ? c.html(await pageOf(c, parts, file, [])) : c.notFound()
  })

  app.get('/stops/:stop/slip', desk, async (c) => {
    const file = await stopFile(parts, c.req.param('stop'))
    if (!file) return c.notFound()
    await seen(c, parts, file.stop)
    const person = await readSaid<AskedPerson>(parts.identity, file.stop)
    return c.html(stopSlipPage(parts.operatorName, file, person, await hospitals(parts)))
  })

  app.post('/stops/:stop/verify', desk, async (c) => {
    const file = await stopFile(parts, c.req.param('stop'))
    if (!file) return c.notFound()
    const form = await c.req.parseBody()
    const how = IDENTITY_CHECKS.find((one) => one !== 'none' && one === form['how'])
    const errors: FieldError[] = how && how !== 'none' ? [] : [{ field: 'how', text: W.howChoose }]
    if (errors.length === 0) errors.push(...(await c.get('stepUp')(form)))
    if (!how || how === 'none' || errors.length > 0) return c.html(await pageOf(c, parts, file, errors), 422)
    const by = c.get('account').account
    await verifyStop(parts.vault, parts.identity, { stop: file.stop, identityCheck: how, by })
    c.get('session').message = W.stopVerified
    return c.redirect(`/stops/${encodeURIComponent(file.stop)}`, 303)
  })

  app.post('/stops/:stop/end', desk, async (c) => {
    const file = await stopFile(parts, c.req.param('stop'))
    if (!file) return c.notFound()
    const errors = await c.get('stepUp')(await c.req.parseBody())
    if (errors.length > 0) return c.html(await pageOf(c, parts, file, errors), 422)
    await endElsewhere(parts.vault, { stop: file.stop, by: c.get('account').account })
    c.get('session').message = W.takenBackDone
    return c.redirect(`/stops/${encodeURIComponent(file.stop)}`, 303)
  })

  app.post('/stops/:stop/erase', door(parts, 'erasing'), async (c) => {
    const file = await stopFile(parts, c.req.param('stop'))
    if (!file) return c.notFound()
    const form = await c.req.parseBody({ all: true })
    const chosen = [form['chart'] ?? []].flat().map(String)
    const errors: FieldError[] = chosen.length === 0 ? [{ field: 'chart', text: W.chartChoose }] : []
    if (errors.length === 0) errors.push(...(await c.get('stepUp')(form)))
    if (errors.length > 0) return c.html(await pageOf(c, parts, file, errors), 422)
    const patients = chosen.map((one) => parsePatientKey(one))
    await eraseAsAsked(parts.vault, { stop: file.stop, patients, by: c.get('account').account })
    c.get('session').message = W.erasureTaken
    return c.redirect(`/stops/${encodeURIComponent(file.stop)}`, 303)
  })
}

/** Who asked is shown to the desk only; which charts bear the name, to nobody before the person was verified (R17). */
async function pageOf(c: Context<ConsoleEnv>, parts: ConsoleParts, file: StopFile, errors: FieldError[]) {
  const { account, roles } = c.get('account')
  const desk = mayEnter(roles, 'desk')
  if (desk) await seen(c, parts, file.stop)
  const verified = file.erasure !== null && file.erasure.verified_at !== null
  const erasing = mayEnter(roles, 'erasing') && verified && file.erasure?.verified_by !== account
  return stopPage(aroundOf(c, parts), {
    file,
    person: desk ? await readSaid<AskedPerson>(parts.identity, file.stop) : null,
    charts: erasing ? await chartsOf(parts, file.stop) : null,
    hospitals: await hospitals(parts),
    mayEnd:
      desk && file.takenBack !== null && (file.standing === 'provisional' || file.standing === 'confirmed'),
    mayVerify: desk && file.standing === 'provisional' && file.erasure !== null,
    errors,
  })
}

async function chartsOf(parts: ConsoleParts, stop: string): Promise<string[]> {
  const rows = await parts.ops.db
    .selectFrom('stop_chart')
    .select('patient')
    .where('stop', '=', stop)
    .execute()
  return rows.map((row) => row.patient)
}

async function seen(c: Context<ConsoleEnv>, parts: ConsoleParts, stop: string): Promise<void> {
  await parts.ops.transact(
    { act: 'person.seen', actor: c.get('account').account, detail: { about: stop } },
    async () => {},
  )
}
