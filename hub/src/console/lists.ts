import type { Hono } from 'hono'
import type { ErasureCertificate } from '../requests/certificate.ts'
import { aroundOf, door } from './door.ts'
import { homePage, type Todo } from './pages/home.ts'
import { agentsPage, certificatePage, erasuresPage, linkagePage } from './pages/lists.ts'
import type { ConsoleEnv, ConsoleParts } from './parts.ts'
import { agentLines, countOpen, erasureLine, erasureLines, linkageLines } from './read.ts'
import { releaseList } from '../release/read.ts'
import { mayEnter } from './rules.ts'
import { stopWork } from './stop-read.ts'
import { ticketLines } from './ticket-read.ts'
import { W } from './words.ja.ts'

export function listRoutes(app: Hono<ConsoleEnv>, parts: ConsoleParts): void {
  app.get('/', async (c) => c.html(homePage(aroundOf(c, parts), await todoOf(parts, c.get('account').roles))))

  app.get('/agents', door(parts, 'agents'), async (c) =>
    c.html(agentsPage(aroundOf(c, parts), await agentLines(parts))),
  )
  app.get('/linkage', door(parts, 'linkage'), async (c) =>
    c.html(linkagePage(aroundOf(c, parts), await linkageLines(parts))),
  )
  app.get('/erasures', door(parts, 'erasures'), async (c) =>
    c.html(erasuresPage(aroundOf(c, parts), await erasureLines(parts))),
  )
  app.get('/erasures/:erasure', door(parts, 'erasures'), async (c) => {
    const line = await erasureLine(parts, c.req.param('erasure'))
    if (!line?.certificate) return c.notFound()
    const { core } = JSON.parse(line.certificate) as ErasureCertificate
    return c.html(certificatePage(aroundOf(c, parts), line.erasure, core))
  })
  app.get('/erasures/:erasure/certificate.json', door(parts, 'erasures'), async (c) => {
    const line = await erasureLine(parts, c.req.param('erasure'))
    if (!line?.certificate) return c.notFound()
    return c.body(line.certificate, 200, {
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': 'attachment; filename="erasure-certificate.json"',
    })
  })
}

async function todoOf(parts: ConsoleParts, roles: Parameters<typeof mayEnter>[0]): Promise<Todo[]> {
  const todo: Todo[] = []
  const add = (n: number, text: (n: number) => string, href: string) => {
    if (n > 0) todo.push({ text: text(n), href })
  }
  const { incidents } = await countOpen(parts)
  add(incidents, W.todo.incidents, '/agents')
  const stops = await stopWork(parts)
  if (mayEnter(roles, 'stops')) add(stops.late, W.todo.late, '/stops')
  if (mayEnter(roles, 'desk')) add(stops.unverified, W.todo.unverified, '/stops')
  if (mayEnter(roles, 'desk')) add(stops.takenBack, W.todo.takenBack, '/stops')
  if (mayEnter(roles, 'erasing')) add(stops.toErase, W.todo.toErase, '/stops')
  if (mayEnter(roles, 'desk')) {
    const open = (await ticketLines(parts)).filter((one) => one.answeredAt === null)
    add(open.filter((one) => one.overdue).length, W.todo.overdue, '/tickets')
    add(open.filter((one) => !one.overdue).length, W.todo.questions, '/tickets')
  }
  if (mayEnter(roles, 'releases')) {
    const waiting = (await releaseList(parts.ops.db)).filter((one) => one.voting !== null)
    add(waiting.length, W.todo.reviews, '/releases')
  }
  if (mayEnter(roles, 'linkage')) add((await linkageLines(parts)).length, W.todo.linkage, '/linkage')
  if (mayEnter(roles, 'erasures')) {
    const open = (await erasureLines(parts)).filter((one) => one.state !== 'done')
    add(open.length, W.todo.erasures, '/erasures')
  }
  const silent = (await agentLines(parts)).filter((one) => one.standing === 'silent')
  add(silent.length, W.todo.silent, '/agents')
  return todo
}
