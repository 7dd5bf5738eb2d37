import type { ControlEnvelope } from '@kakehashi/protocol/messages'
import type { Mailboxes } from './mailbox.ts'

/** What travels over the WebSocket, one JSON object a frame. */
export type Frame =
  | { t: 'control'; envelope: ControlEnvelope }
  | { t: 'ack'; messages: string[] }
  | { t: 'hint' }
  | { t: 'ping'; n: number }
  | { t: 'pong'; n: number }

/** The frame, or `null` when the text is none: the session is then closed. */
export function parseFrame(text: string): Frame | null {
  try {
    const value = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return null
    const { t } = value
    if (t === 'hint') return { t }
    if ((t === 'ping' || t === 'pong') && Number.isSafeInteger(value.n)) return { t, n: value.n }
    if (t === 'ack' && Array.isArray(value.messages) && value.messages.length <= 1000)
      return value.messages.every((m: unknown) => typeof m === 'string')
        ? { t, messages: value.messages }
        : null
    if (t === 'control' && typeof value.envelope === 'object') return { t, envelope: value.envelope }
    return null
  } catch {
    return null
  }
}

/** Up messages are stored and acknowledged, acknowledgements noted; everything else could also be polled. */
export function frameHandler(mailboxes: Mailboxes): (agent: string, frame: Frame) => Promise<Frame[]> {
  return async (agent, frame) => {
    switch (frame.t) {
      case 'control': {
        const body = new TextEncoder().encode(JSON.stringify(frame.envelope))
        return [{ t: 'ack', messages: [await mailboxes.receiveUp(agent, body)] }]
      }
      case 'ack':
        await mailboxes.ack(agent, frame.messages)
        return []
      case 'hint': {
        const { messages } = await mailboxes.waiting(agent, 0)
        return messages.map((envelope) => ({ t: 'control', envelope }))
      }
      case 'ping':
        return [{ t: 'pong', n: frame.n }]
      case 'pong':
        return []
    }
  }
}
