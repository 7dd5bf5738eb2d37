import { readFile, stat } from 'node:fs/promises'
import { csvRows, separatorOf } from '../../imports/csv.ts'
import { decodeText } from '../../imports/encoding.ts'
import { readTransactions, type TransactionPlace } from './transactions.ts'

/** How far the lists of changes were read that a hospital may offer beside its storage. */
export interface FeedPlaces {
  transactions: TransactionPlace | null
  /** The latest `UpdateDatetime` of the index table that was seen. */
  index: string | null
}

export const NO_FEEDS: FeedPlaces = { transactions: null, index: null }

export interface FeedsRead {
  /** `null`: there is no such list, or none was read before; everybody is looked at. */
  patients: Set<string> | null
  places: FeedPlaces
}

export async function readFeeds(
  { transactions, indexTable }: { transactions: string | null; indexTable: string | null },
  from: FeedPlaces,
): Promise<FeedsRead> {
  const log = await readTransactions(transactions, from.transactions)
  const table = indexTable === null ? null : await readIndexTable(indexTable, from.index)
  const places = { transactions: log?.place ?? null, index: table?.last ?? null }
  const known = (log !== null && from.transactions !== null) || (table !== null && from.index !== null)
  // one list that is new says nothing of before: the other must not hide it
  const blind = (log !== null && from.transactions === null) || (table !== null && from.index === null)
  if (!known || blind) return { patients: null, places }
  return { patients: new Set([...(log?.patients ?? []), ...(table?.patients ?? [])]), places }
}

const INDEX_BYTES_MAX = 256 * 1024 * 1024

/** An export of the table `SSMIXIDX` as text: a header line, then one row per file. `null`: not to be read. */
async function readIndexTable(
  path: string,
  from: string | null,
): Promise<{ patients: Set<string>; last: string } | null> {
  let text: string | null
  try {
    if ((await stat(path)).size > INDEX_BYTES_MAX) return null
    text = decodeText(await readFile(path))
  } catch {
    return null
  }
  if (text === null) return null
  let columns: { patient: number; updated: number } | null = null
  const patients = new Set<string>()
  let last = from ?? ''
  for (const row of csvRows(text, separatorOf(text))) {
    if (!('cells' in row)) continue
    if (columns === null) {
      const names = row.cells.map((cell) => cell.trim().toLowerCase())
      columns = { patient: names.indexOf('patientid'), updated: names.indexOf('updatedatetime') }
      if (columns.patient < 0 || columns.updated < 0) return null
      continue
    }
    const [patient = '', updated = ''] = [
      row.cells[columns.patient]?.trim(),
      row.cells[columns.updated]?.trim(),
    ]
    // the same instant may have had more rows to come
    if (patient === '' || updated < (from ?? '')) continue
    patients.add(patient)
    if (updated > last) last = updated
  }
  return columns === null ? null : { patients, last }
}
