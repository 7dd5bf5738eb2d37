import type { Context, Hono } from 'hono'
import type { CounterEnv, CounterParts } from '../counter/parts.ts'
import type { CounterViews } from '../counter/views.ts'
import { type SourceStanding, sourceStandings } from '../sources/standing.ts'
import { sourcesPage } from './pages/sources.ts'
import { keepReport, lastReport } from './store.ts'

/** Older than this it is counted anew when somebody looks. */
const AGE_MS_MAX = 10 * 60_000

/** What was read of each source and what was not: counts and reasons, no person. */
export class SourceRoutes {
  readonly #parts: CounterParts
  readonly #views: CounterViews
  #counting: Promise<void> | null = null
  /** The last count came to nothing; the next is asked for by hand. */
  #failed = false

  constructor(parts: CounterParts, views: CounterViews) {
    this.#parts = parts
    this.#views = views
  }

  mount(app: Hono<CounterEnv>): void {
    app.get('/office/sources', (c) => this.#page(c))
    app.post('/office/sources/count', (c) => this.#again(c))
  }

  async #page(c: Context<CounterEnv>): Promise<Response> {
    const { context } = this.#parts
    const last = await lastReport<SourceStanding[]>(context.store.db, 'sources')
    if (!this.#failed && (!last || context.env.now() - last.at > AGE_MS_MAX))
      this.#begin(c.get('session').staff.id)
    const counting = this.#counting !== null
    if (counting) c.header('refresh', '3; url=/office/sources')
    return c.html(
      sourcesPage(await this.#views.desk(c.get('session')), {
        counting,
        failed: this.#failed,
        last: last && { at: last.at, standings: last.body },
        now: context.env.now(),
      }),
    )
  }

  async #again(c: Context<CounterEnv>): Promise<Response> {
    this.#begin(c.get('session').staff.id)
    return c.redirect('/office/sources', 303)
  }

  #begin(by: string): void {
    this.#counting ??= this.#count(by).finally(() => {
      this.#counting = null
    })
  }

  async #count(by: string): Promise<void> {
    const { context } = this.#parts
    try {
      this.#failed = false
      const at = context.env.now()
      const body = await sourceStandings(context.store.db)
      await context.store.bookkeep((tx) => keepReport(tx, 'sources', { at, by, body }))
    } catch {
      this.#failed = true
      context.log('office.sources-failed')
    }
  }
}
