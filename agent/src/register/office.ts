import type { NoticeContent } from '@kakehashi/protocol/notice-content'
import { addDays, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { activeFilings } from '@kakehashi/protocol/rules/notices'
import type { FacilityState, LocalDate, NoticeItem, Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { publishedNotices, type PublishedNotice } from './notice-published.ts'
import { facilityEvents, facilityStateOf, type RegisterReader } from './read.ts'

/**
 * What the privacy officer has to do about notices and filings. `publish`: the legal person changed, the notice does
 * not say so yet; `file`: a version the ministers do not know; `notify`: people are owed it; `file-end`: the hospital
 * left and a filing still stands.
 */
export interface OfficeTask {
  task: 'publish' | 'file' | 'notify' | 'file-end'
  track: Track
  /** The version concerned; of `publish`, the one that is out of date. */
  version: number
  items: NoticeItem[]
  since: LocalDate
  by: LocalDate
  overdue: boolean
}

const TRACKS: readonly Track[] = ['ANON', 'PSEUDO']

/** Open tasks, the most urgent first. Whether people are owed a notice is counted by the office's survey. */
export async function officeTasks(context: AgentContext): Promise<OfficeTask[]> {
  const { db } = context.store
  const facility = await facilityStateOf(db, context.facility)
  if (!facility) return []
  const now = context.env.now()
  const today = tokyoDate(now)
  const delay = context.rulesAt(now).withoutDelayDays
  const before = context.rulesAt(now).noticeBeforeChange
  const tasks: Omit<OfficeTask, 'overdue'>[] = []
  for (const track of TRACKS) {
    const newest = (await publishedNotices(db, track)).at(-1)
    if (newest && handlerChanged(newest, facility)) {
      const since = await entitySince(db, today)
      const version = newest.template.version
      tasks.push({ task: 'publish', track, version, items: ['i'], since, by: addDays(since, delay) })
    }
    tasks.push(...versionTasks(facility, track, { today, delay, before }))
    const { endedOn } = facility
    if (endedOn !== null && endedOn <= today && activeFilings(facility, track, today).length > 0)
      tasks.push({
        task: 'file-end',
        track,
        version: 0,
        items: [],
        since: endedOn,
        by: addDays(endedOn, delay),
      })
  }
  return tasks
    .map((task) => ({ ...task, overdue: task.by < today }))
    .toSorted((a, b) => (a.by < b.by ? -1 : a.by > b.by ? 1 : 0))
}

function handlerChanged({ content }: PublishedNotice, { entity }: FacilityState): boolean {
  const { name, address, representative } = content.handler
  return name !== entity.name || address !== entity.address || representative !== entity.representative
}

async function entitySince(db: RegisterReader, today: LocalDate): Promise<LocalDate> {
  const last = (await facilityEvents(db)).findLast((event) => event.type === 'entity-recorded')
  return last ? tokyoDate(last.recordedAt) : today
}

/** Each version that changed something is filed and notified: before the change, or without delay after it. */
function versionTasks(
  facility: FacilityState,
  track: Track,
  { today, delay, before }: { today: LocalDate; delay: number; before: readonly NoticeItem[] },
): Omit<OfficeTask, 'overdue'>[] {
  const filed = activeFilings(facility, track, today)
  return facility.templates
    .filter((t) => t.track === track)
    .flatMap(({ version, publishedAt, change }) => {
      const since = tokyoDate(publishedAt)
      const items = change?.items ?? []
      const must = items.some((item) => item === 'iii' || before.includes(item))
      const by = change ? (must ? addDays(change.from, -1) : addDays(change.from, delay)) : since
      const task = { track, version, items, since, by }
      const unfiled = !filed.some((f) => f.templateVersion >= version)
      return [
        ...(unfiled ? [{ ...task, task: 'file' as const }] : []),
        ...(change ? [{ ...task, task: 'notify' as const }] : []),
      ]
    })
}

/** The next version as a draft: the newest published one with the legal person as recorded now. `null`: none published yet. */
export async function draftNotice(context: AgentContext, track: Track): Promise<NoticeContent | null> {
  const { db } = context.store
  const newest = (await publishedNotices(db, track)).at(-1)
  const facility = await facilityStateOf(db, context.facility)
  if (!newest || !facility) return null
  const { name, address, representative } = facility.entity
  return { ...structuredClone(newest.content), handler: { name, address, representative } }
}
