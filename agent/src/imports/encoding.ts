/** Hospital systems write UTF-8 or what Windows in Japan calls Shift_JIS (CP932). */
export const ENCODINGS = ['auto', 'utf-8', 'shift_jis'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** The text, or `null` when the bytes are in neither encoding. Never throws, never replaces a character. */
export function decodeText(bytes: Uint8Array, encoding: Encoding = 'auto'): string | null {
  if (encoding !== 'auto') return strictly(encoding, bytes)
  return strictly('utf-8', bytes) ?? strictly('shift_jis', bytes)
}

/** HL7 v2 in Japan: ISO 2022 when it switches sets by escape sequences, else as above. */
export function decodeMessage(bytes: Uint8Array): string | null {
  return bytes.includes(0x1b) ? strictly('iso-2022-jp', bytes) : decodeText(bytes)
}

function strictly(label: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}
