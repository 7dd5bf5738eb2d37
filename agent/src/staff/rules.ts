/** 受付、個人情報担当、情報システム担当. Privacy officers may do all that the desk does; IT sees no patient. */
export const ROLES = ['desk', 'privacy', 'it'] as const
export type Role = (typeof ROLES)[number]

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  desk: '受付',
  privacy: '個人情報担当',
  it: '情報システム担当',
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

/** Whoever may keep the list of staff. */
export const KEEPERS: readonly Role[] = ['it', 'privacy']

export function isKeeper(role: Role): boolean {
  return KEEPERS.includes(role)
}

export const PIN_DIGITS_MIN = 6
export const PIN_DIGITS_MAX = 12
/** A PIN that the program made is for the first sign-in, and soon for none. */
export const FIRST_PIN_MS_MAX = 72 * 3_600_000
/** Shorter texts are staff numbers, which everybody in the house knows. */
export const BADGE_CHARACTERS_MIN = 12
export const BADGE_CHARACTERS_MAX = 64

/** A barcode as the scanner types it: any width, no blanks, no control characters. */
export function badgeText(scanned: string): string {
  return scanned.normalize('NFKC').replaceAll(/[\s\p{Cc}]/gu, '')
}

export function isBadge(text: string): boolean {
  return (
    text.length >= BADGE_CHARACTERS_MIN && text.length <= BADGE_CHARACTERS_MAX && /^[\x21-\x7e]+$/.test(text)
  )
}

/** Why this PIN may not be used, or `null`. Repeated and running digits are the first that anybody tries. */
export function faultOfPin(pin: string, staffId: string): 'form' | 'easy' | null {
  if (!/^\d+$/.test(pin) || pin.length < PIN_DIGITS_MIN || pin.length > PIN_DIGITS_MAX) return 'form'
  const steps = new Set([...pin].slice(1).map((digit, at) => (Number(digit) - Number(pin[at]) + 10) % 10))
  const constant = steps.size === 1 && [0, 1, 9].includes([...steps][0] ?? -1)
  const halves = pin.length % 2 === 0 && pin.slice(0, pin.length / 2) === pin.slice(pin.length / 2)
  return constant || halves || new Set(pin).size < 3 || staffId.includes(pin) ? 'easy' : null
}

/** Eight digits that are no easy ones. */
export function firstPin(random: (n: number) => Uint8Array): string {
  for (;;) {
    const digits = [...random(8)].map((byte) => String(byte % 10)).join('')
    if (faultOfPin(digits, '') === null) return digits
  }
}

/** Whoever shows no more than a badge may do no more than the desk. */
export function badgeSuffices(role: Role): boolean {
  return role === 'desk'
}
