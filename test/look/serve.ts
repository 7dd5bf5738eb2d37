import { pageCaller } from '@kakehashi/hub/page-caller'
import { listen, type Listening } from '@kakehashi/hub/wire'

/** Pages on a free port of this machine. */
export function serve(pages: Parameters<typeof pageCaller>[0]): Promise<Listening> {
  return listen({ host: '127.0.0.1', port: 0 }, pageCaller(pages, { https: false }))
}
