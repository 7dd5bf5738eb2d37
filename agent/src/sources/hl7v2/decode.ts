import { isAscii } from 'node:buffer'

export type StoredEncoding = 'iso-2022-jp' | 'shift_jis' | 'euc-jp' | 'utf-8'

export interface Decoded {
  text: string
  encoding: StoredEncoding
}

const strict = (label: string) => new TextDecoder(label, { fatal: true, ignoreBOM: false })
const DECODERS: Readonly<Record<StoredEncoding, ReturnType<typeof strict>>> = {
  'iso-2022-jp': strict('iso-2022-jp'),
  shift_jis: strict('shift_jis'),
  'euc-jp': strict('euc-jp'),
  'utf-8': strict('utf-8'),
}

/**
 * DATA §2.4.6: the text of a stored message, decoded before anything is split: 691 kanji contain a delimiter's byte.
 * What is not ISO-2022-JP is taken for UTF-8, CP932 or EUC-JP, whichever reads it without a fault; where both of the
 * latter do, the one with fewer half-width kana, which the storage must not hold. `null`: none does. No character is
 * ever replaced.
 */
export function decodeStored(bytes: Uint8Array): Decoded | null {
  const seven = isAscii(bytes)
  const text = seven ? decoded('iso-2022-jp', withAscii(bytes)) : null
  if (text !== null) return { text, encoding: 'iso-2022-jp' }
  const wide = decoded('utf-8', bytes)
  if (wide !== null && !seven) return { text: wide, encoding: 'utf-8' }
  const shift = decoded('shift_jis', bytes)
  const extended = decoded('euc-jp', bytes)
  if (seven || (shift === null && extended === null)) return null
  if (shift !== null && (extended === null || oddities(shift) <= oddities(extended)))
    return { text: shift, encoding: 'shift_jis' }
  return extended === null ? null : { text: extended, encoding: 'euc-jp' }
}

function decoded(encoding: StoredEncoding, bytes: Uint8Array): string | null {
  try {
    const text = DECODERS[encoding].decode(bytes)
    // controls of the upper half are in no Japanese text: the bytes were of another encoding
    return /[\u0080-\u009f]/.test(text) ? null : text
  } catch {
    return null
  }
}

function oddities(text: string): number {
  return text.match(/[\uff61-\uff9f\ue000-\uf8ff]/g)?.length ?? 0
}

/** `ESC ( J` would turn the escape sign `\` into a yen sign and `~` into an overline: ASCII is what is meant. */
function withAscii(bytes: Uint8Array): Uint8Array {
  let changed: Uint8Array | null = null
  for (let at = bytes.indexOf(0x1b); at >= 0; at = bytes.indexOf(0x1b, at + 1)) {
    if (bytes[at + 1] !== 0x28 || bytes[at + 2] !== 0x4a) continue
    changed ??= Uint8Array.from(bytes)
    changed[at + 2] = 0x42
  }
  return changed ?? bytes
}
