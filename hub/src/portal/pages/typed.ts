/** As written on a card: full width, spaces and hyphens are forgiven. `null`: no number. */
export function readPatientNumber(typed: string): string | null {
  const text = typed.normalize('NFKC').toUpperCase().replaceAll(/[\s-]/g, '')
  return /^[0-9A-Z]{1,20}$/.test(text) ? text : null
}

/** `19480503`, `1948-05-03`, `1948/5/3`, in full width or in Devanagari digits. `null`: no day of the calendar. */
export function readBirthDate(typed: string): string | null {
  const text = typed
    .normalize('NFKC')
    .replaceAll(/[०-९]/g, (digit) => String(digit.charCodeAt(0) - 0x966))
    .trim()
  const found =
    /^(\d{4})(\d{2})(\d{2})$/.exec(text) ?? /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(text)
  if (!found) return null
  const date = `${found[1]}-${found[2]?.padStart(2, '0')}-${found[3]?.padStart(2, '0')}`
  const at = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date) return null
  return date >= '1880-01-01' ? date : null
}
