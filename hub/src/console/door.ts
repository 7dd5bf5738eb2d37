import type { Context, MiddlewareHandler } from 'hono'
import { trouble, type RoomView } from './pages/room.ts'
import type { ConsoleEnv, ConsoleParts } from './parts.ts'
import { mayEnter, ROOMS, type Room } from './rules.ts'
import { W } from './words.ja.ts'

/** Lets only the roles of this part of the console pass. */
export function door(parts: ConsoleParts, name: Room): MiddlewareHandler<ConsoleEnv> {
  return async (c, next) => {
    const { account, roles } = c.get('account')
    if (mayEnter(roles, name)) return next()
    await parts.ops.transact(
      { act: 'console.refused', actor: account, detail: { room: name } },
      async () => {},
    )
    const allowed = ROOMS[name].map((role) => W.role[role]).join('・')
    return c.html(trouble(parts.operatorName, W.notAllowedTitle, W.notAllowed(allowed)), 403)
  }
}

export function aroundOf(c: Context<ConsoleEnv>, parts: ConsoleParts): RoomView {
  const session = c.get('session')
  const { name, roles } = c.get('account')
  const view = {
    operatorName: parts.operatorName,
    staffName: name,
    roles,
    csrf: session.csrf,
    message: session.message,
  }
  session.message = null
  return view
}
