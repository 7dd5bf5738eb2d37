import type { ChartsMerged, ChartsUnmerged, PatientEvent } from '../events.ts'
import type { PatientKey } from '../ids.ts'

export interface Charts {
  /** Charts of one person beyond doubt, the asked one included: they share stops, holds and notices. */
  same: ReadonlySet<PatientKey>
  /** Charts that may be of the same person: all of them are held. */
  doubtful: ReadonlySet<PatientKey>
}

type Link = ChartsMerged | ChartsUnmerged

/** Follows merges and un-merges, the last word on each pair of charts prevailing. */
export function chartsOf(patient: PatientKey, events: readonly PatientEvent[]): Charts {
  const last = new Map<string, Link>()
  for (const event of events) {
    if (event.type !== 'charts-merged' && event.type !== 'charts-unmerged') continue
    last.set([event.patient, event.other].toSorted().join('\n'), event)
  }
  if (last.size === 0) return { same: new Set([patient]), doubtful: new Set() }
  const merges = [...last.values()].filter((link) => link.type === 'charts-merged')
  const same = reach(
    patient,
    merges.filter((link) => link.certain === true),
  )
  const doubtful = reach(patient, merges)
  for (const chart of same) doubtful.delete(chart)
  return { same, doubtful }
}

function reach(from: PatientKey, links: readonly ChartsMerged[]): Set<PatientKey> {
  const reached = new Set([from])
  for (const chart of reached)
    for (const link of links) {
      if (link.patient === chart) reached.add(link.other)
      if (link.other === chart) reached.add(link.patient)
    }
  return reached
}
