import { refusalAnswer } from '@kakehashi/hub/call'
import { listen, type Listening, type Pages } from '@kakehashi/hub/wire'

/** Pages on a free port of this machine. */
export function serve(pages: Pages): Promise<Listening> {
  return listen({ host: '127.0.0.1', port: 0 }, async () => refusalAnswer({ code: 'NOT_FOUND' }), pages)
}
