import { firstAt, MESSAGE_BYTES_MAX, readMessage } from './hl7.ts'

/** Minimal Lower Layer Protocol: 0x0B, the message, 0x1C 0x0D. */
const START = 0x0b
const END = 0x1c
const RETURN = 0x0d

export type Frame = { t: 'message'; bytes: Uint8Array } | { t: 'too-long' }

/** Cuts a stream of bytes into messages. What stands between frames is passed over; an overlong one is told once. */
export class Frames {
  #held: Uint8Array[] = []
  #size = 0
  #state: 'outside' | 'inside' | 'ending' = 'outside'

  #begin(): void {
    this.#held = []
    this.#size = 0
    this.#state = 'inside'
  }

  *feed(chunk: Uint8Array): Generator<Frame> {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === START) {
        this.#begin()
        from = at + 1
      } else if (this.#state === 'ending' && byte === RETURN) {
        this.#keep(chunk.subarray(from, at))
        const bytes = Buffer.concat(this.#held).subarray(0, -1)
        yield bytes.length > MESSAGE_BYTES_MAX ? { t: 'too-long' } : { t: 'message', bytes }
        this.#state = 'outside'
      } else if (this.#state === 'inside' || this.#state === 'ending')
        this.#state = byte === END ? 'ending' : 'inside'
    }
    if (this.#state !== 'inside' && this.#state !== 'ending') return
    this.#keep(chunk.subarray(from))
    if (this.#size <= MESSAGE_BYTES_MAX) return
    this.#held = []
    this.#state = 'outside'
    yield { t: 'too-long' }
  }

  #keep(bytes: Uint8Array): void {
    this.#held.push(bytes)
    this.#size += bytes.length
  }
}

export type AckCode = 'AA' | 'AE' | 'AR'

/** The answer to one message, framed. `said`: a code of ours, never content. */
export function acknowledge(
  message: string,
  code: AckCode,
  said: string,
  at: { stamp: string; id: string },
): Uint8Array {
  const read = readMessage(message)
  const of = (place: string) =>
    (read ? firstAt(read, place).replaceAll(/[|^~\\&\r\n]/g, '') : '').slice(0, 180)
  const event = of('MSH-9.2')
  const lines = [
    [
      'MSH',
      '^~\\&',
      'KAKEHASHI',
      of('MSH-6'),
      of('MSH-3'),
      of('MSH-4'),
      at.stamp,
      '',
      event === '' ? 'ACK' : `ACK^${event}`,
      at.id,
      of('MSH-11') || 'P',
      of('MSH-12') || '2.5',
    ],
    ['MSA', code, of('MSH-10'), said],
  ]
  const text = `${lines.map((fields) => fields.join('|')).join('\r')}\r`
  return Buffer.concat([Uint8Array.of(START), Buffer.from(text, 'utf8'), Uint8Array.of(END, RETURN)])
}
