/** What the name of a stored message says (DATA §2.4.1). */
export interface StoredName {
  /** The name itself; its folder is `<date>/<kind>`. */
  name: string
  date: string
  kind: string
  patient: string
  order: string
  /** 発生日時: when it was sent to the storage; 17 digits, so that the later compares as the greater. */
  at: string
  department: string
  flag: '0' | '1' | '2'
}

const NAME =
  /^([^_/]{1,15})_(\d{8}|-)_([A-Za-z0-9^.-]{1,64})_([A-Za-z0-9.-]{1,64})_(\d{14,17})_([A-Za-z0-9]{1,5}|-)_([012])$/

export function storedName(name: string): StoredName | null {
  const [, patient, date, kind, order, at, department, flag] = NAME.exec(name) ?? []
  if (patient === undefined || date === undefined || kind === undefined || order === undefined) return null
  return {
    name,
    patient,
    date,
    kind,
    order,
    at: (at ?? '').padEnd(17, '0'),
    department: department ?? '-',
    flag: flag as StoredName['flag'],
  }
}

/** The two folders above a patient's own: the first three characters of the number, and the next three. */
export function foldersOf(patient: string): [string, string] {
  return [patient.slice(0, 3), patient.slice(3, 6)]
}

/** What of one storage key holds now. */
export type Standing =
  | { t: 'valid'; file: StoredName; doubles: number }
  | { t: 'deleted'; at: string }
  /** Neither valid nor deleted: the instant between two renames, or the file is lost. */
  | { t: 'none' }

/**
 * At most one file of a key is valid. Two: the newest counts (S7). A valid one that is no newer than the deletion has
 * been brought back by a restored backup, and stays deleted (S17).
 */
export function standingOf(files: readonly StoredName[]): Standing {
  const newest = (flag: string) =>
    files.filter((file) => file.flag === flag).toSorted((a, b) => (a.at < b.at ? 1 : -1))
  const [valid, ...others] = newest('1')
  const [deleted] = newest('0')
  if (valid && (!deleted || deleted.at < valid.at)) return { t: 'valid', file: valid, doubles: others.length }
  return deleted ? { t: 'deleted', at: deleted.at } : { t: 'none' }
}

/** A file's place as staff may see it: it finds the file, and shows no patient number. */
export function placeOf(path: string): string {
  const [name = '', kind = '', date = ''] = path.split('/').toReversed()
  return `…/${date}/${kind}/*${name.replace(/^[^_]*/, '')}`
}
