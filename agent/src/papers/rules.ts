/** Crockford's letters: what is read out or typed is not misread. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** `P-K7QX-4M2D`: names one sheet; says nothing of its token or its person. */
export function paperNumber(random: Uint8Array): string {
  const letters = [...random.subarray(0, 8)].map((b) => LETTERS[b % 32]).join('')
  return `P-${letters.slice(0, 4)}-${letters.slice(4)}`
}

/** As scanned or typed; `null`: no number of a sheet. */
export function readPaperNumber(typed: string): string | null {
  const text = typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s*-]/g, '')
    .replace(/^P/, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(text) ? `P-${text.slice(0, 4)}-${text.slice(4)}` : null
}

/** `stop.example.jp`: short enough to be typed from paper. */
export function hostInWords(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/+$/, '')
}
