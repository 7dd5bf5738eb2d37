import type { Profile } from '../anonymization/profile.ts'
import type { WrittenTable } from '../anonymization/tables.ts'

export interface Codebook {
  profile: string
  tables: {
    name: string
    title: string
    rows: number
    columns: { name: string; type: string; description: string; from: string }[]
  }[]
  dates: string
}

/** What each column is and where it comes from, for who reads the package. */
export function codebook(profile: Profile, tables: readonly WrittenTable[]): Codebook {
  return {
    profile: `${profile.name}@${profile.version}`,
    tables: profile.views.map((view) => ({
      name: view.name,
      title: view.title,
      rows: tables.find((t) => t.name === view.name)?.rows ?? 0,
      columns: view.select
        .flatMap((s) => s.column.map((c) => ({ ...c, each: s.forEach ?? s.forEachOrNull })))
        .map((c) => ({
          name: c.name,
          type: c.type,
          description: c.description,
          from: c.name === 'person' ? 'random' : `${view.resource}.${c.each ? `${c.each}.` : ''}${c.path}`,
        })),
    })),
    dates: `日付は人ごとに ±${profile.dates.rangeDays} 日の範囲で一律にずらしてあり、同じ人の日付の間隔は保たれます。時刻はありません。`,
  }
}
