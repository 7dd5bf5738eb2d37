import type { Env } from '@kakehashi/protocol/env'

export async function pause(env: Env, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((done) => {
    const end = () => {
      signal.removeEventListener('abort', end)
      cancel()
      done()
    }
    const cancel = env.after(ms, end)
    signal.addEventListener('abort', end)
  })
  signal.throwIfAborted()
}
