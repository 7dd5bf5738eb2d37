import type { Context } from 'hono'

export const ROWS = 50

/** The page that the address asks for, within what there is. */
export function pageAsked(c: Context, pages: number): number {
  const asked = Number(c.req.query('page') ?? 1)
  return Number.isSafeInteger(asked) ? Math.min(Math.max(asked, 1), pages) : 1
}
