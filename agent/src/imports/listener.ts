import { word } from '@kakehashi/protocol/log'
import { startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { AdtImport } from './adt.ts'
import { decodeMessage } from './encoding.ts'
import type { ImportParts } from './hand-over.ts'
import type { Mapping } from './mapping.ts'
import { listenMllp, type Mllp } from './wire.ts'

const TOLD = {
  recorded: word('recorded'),
  confirmed: word('confirmed'),
  cancelled: word('cancelled'),
  refused: word('refused'),
} as const

/**
 * Takes ADT messages over MLLP. What is not about notices is acknowledged and forgotten; AE: this message was not
 * taken, with our reason; AR: try again later.
 */
export async function listenForAdt(
  parts: ImportParts,
  asked: { mapping: Mapping; by: string; host: string; port: number },
): Promise<Mllp> {
  const { env, log } = parts.context
  const sitting = env.id()
  const adt = new AdtImport(parts, { ...asked, digest: sha256Hex(sitting) })
  let count = 0
  return listenMllp({
    host: asked.host,
    port: asked.port,
    text: (bytes) => decodeMessage(bytes) ?? '',
    stamp: () => {
      const now = env.now()
      const day = tokyoDate(now)
      const seconds = Math.floor((now - startOfDay(day)) / 1000)
      const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60]
      const digits = clock.map((n) => String(Math.floor(n)).padStart(2, '0')).join('')
      return { stamp: day.replaceAll('-', '') + digits, id: env.id() }
    },
    async answer(bytes) {
      const text = decodeMessage(bytes)
      count += 1
      const outcome =
        text === null
          ? { t: 'refused' as const, reason: 'MESSAGE_MALFORMED' as const }
          : await adt.take(text, count)
      if (outcome.t !== 'other' && outcome.t !== 'known') log('import.adt', { outcome: TOLD[outcome.t] })
      return outcome.t === 'refused' ? { code: 'AE', said: outcome.reason } : { code: 'AA', said: '' }
    },
  })
}
