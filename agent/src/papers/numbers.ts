import type { PatientKey } from '@kakehashi/protocol/ids'
import type { AgentContext } from '../context.ts'
import { csvRows, separatorOf } from '../imports/csv.ts'
import { patientOfNumber } from '../imports/hand-over.ts'
import { headerKey, HEADERS } from '../imports/mapping.ts'
import { LineRefused } from '../imports/reasons.ts'

/**
 * Patient numbers out of a list or out of a table with a header, such as tomorrow's appointments. Without a header the
 * first cell of each line is the number. Never throws.
 */
export function numbersIn(text: string): string[] {
  const rows = [...csvRows(text.replace(/^\uFEFF/, ''), separatorOf(text))].flatMap((row) =>
    'cells' in row ? [row.cells] : [],
  )
  const names = HEADERS.patient.map(headerKey)
  const column = rows[0]?.findIndex((cell) => names.includes(headerKey(cell))) ?? -1
  return rows
    .slice(column >= 0 ? 1 : 0)
    .map((cells) => (cells[Math.max(column, 0)] ?? '').normalize('NFKC').trim())
    .filter((number) => number !== '')
}

export async function patientsOf(
  context: AgentContext,
  numbers: readonly string[],
): Promise<{ number: string; patient: PatientKey | null }[]> {
  const found: { number: string; patient: PatientKey | null }[] = []
  for (const number of numbers) {
    try {
      found.push({ number, patient: (await patientOfNumber(context, number)).patient })
    } catch (error) {
      if (!(error instanceof LineRefused)) throw error
      found.push({ number, patient: null })
    }
  }
  return found
}
