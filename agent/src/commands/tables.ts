import type { Instant } from '@kakehashi/protocol/env'

/** `2027-04-12 09:30` in Tokyo. */
export function tokyoTime(at: Instant | null): string {
  return at === null ? '－' : new Date(at + 9 * 3600_000).toISOString().slice(0, 16).replace('T', ' ')
}

/** Columns of equal width; a Japanese character is two wide. */
export function table(rows: readonly (readonly string[])[]): string {
  const width = (text: string) => [...text].reduce((n, c) => n + (/[\u1100-\uffdc]/.test(c) ? 2 : 1), 0)
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, width(cell))
    })
  return rows
    .map((row) => row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - width(cell))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}
