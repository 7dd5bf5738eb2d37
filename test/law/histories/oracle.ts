import { birthday, dayAt, isClosed, lastOfMonth, midnightOf, plusDays, type Day } from './days.ts'
import type { Chart, Handing, Question, Step, Story } from './story.ts'

/**
 * Whether the law lets this leave, worked out anew for each question from what people did, in the plainest way LAW.md
 * puts it. No line is shared with the gate: where the two differ, one of them is wrong.
 */
export type Verdict = 'may' | 'stopped' | 'closed' | 'not yet'

const MINUTE = 60_000

type Did<T extends Step['t']> = Extract<Step, { t: T }>

interface Asked {
  story: Story
  question: Question
  done: Step[]
  today: Day
  /** Charts that are this person beyond doubt. */
  person: Set<Chart>
}

export function oracle(story: Story, question: Question): Verdict {
  const done = story.steps.slice(0, question.after)
  const { same, doubtful } = chartsOfPerson(question.chart, done)
  const asked: Asked = { story, question, done, today: dayAt(question.at), person: same }
  if (stopInForce(asked)) return 'stopped'
  if (!scheme(asked) || doubtful || held(asked)) return 'closed'
  const first = firstDay(asked)
  if (first === null) return 'closed'
  return asked.today >= first ? 'may' : 'not yet'
}

function of<T extends Step['t']>(asked: Asked, t: T): Did<T>[] {
  return asked.done.filter((step): step is Did<T> => step.t === t)
}

const among = (asked: Asked, chart: Chart): boolean => asked.person.has(chart)

function chartsOfPerson(chart: Chart, done: readonly Step[]): { same: Set<Chart>; doubtful: boolean } {
  const last = new Map<string, 'same' | 'doubtful' | 'apart'>()
  for (const step of done) {
    if (step.t !== 'merge' && step.t !== 'unmerge') continue
    const pair = [step.chart, step.other].toSorted().join()
    last.set(pair, step.t === 'unmerge' ? 'apart' : step.certain ? 'same' : 'doubtful')
  }
  const grow = (words: readonly string[]): Set<Chart> => {
    const found = new Set<Chart>([chart])
    for (let round = 0; round < 3; round++)
      for (const [pair, word] of last) {
        const [a, b] = pair.split(',').map(Number) as [Chart, Chart]
        if (words.includes(word) && (found.has(a) || found.has(b))) found.add(a).add(b)
      }
    return found
  }
  const same = grow(['same'])
  return { same, doubtful: grow(['same', 'doubtful']).size > same.size }
}

/** Filing, operator, facility, clock: what is the same for every patient. */
function scheme({ story, question, done, today }: Asked): boolean {
  const { facility, operator, rules } = story
  if (today < rules.effectiveFrom || question.at < latestClock(done) - 2 * MINUTE) return false
  if (facility.endedOn !== null && today >= facility.endedOn) return false
  if (!operator.certified || !operator.tracks.includes(question.track)) return false
  if (operator.statusAgeMs > 7 * 24 * 60 * MINUTE) return false
  return filedVersion(story, question, today) > 0
}

/** The latest time any entry bears. A notice never bears an earlier time than was ever seen. */
function latestClock(done: readonly Step[]): number {
  return Math.max(0, ...done.map((step) => step.at))
}

/** The highest version the ministers know on that day; 0: none. */
function filedVersion(story: Story, question: Question, today: Day): number {
  let version = 0
  for (const f of story.facility.filings) {
    if (f.track !== question.track || today < f.acceptedOn) continue
    if (f.endedOn !== null && today >= f.endedOn) continue
    if (f.entity !== undefined && f.entity !== story.facility.entity.entity) continue
    if (f.facilities !== undefined && !f.facilities.includes(story.facility.facility)) continue
    version = Math.max(version, f.templateVersion)
  }
  return version
}

// stops

function covers(stop: Did<'stop'>, { track, operator }: Question): boolean {
  const onTrack = stop.tracks === null || stop.tracks.length === 0 || stop.tracks.includes(track)
  const toOperator =
    stop.operators === null || stop.operators.length === 0 || stop.operators.includes(operator)
  return onTrack && toOperator
}

/** Stops of this person that reach this question: a stop is for every chart that was the person's when it was asked. */
function stopsFor(asked: Asked): Did<'stop'>[] {
  return of(asked, 'stop').filter((stop) => {
    const before = asked.done.slice(0, asked.done.indexOf(stop))
    const charts = chartsOfPerson(stop.chart, before).same
    return covers(stop, asked.question) && [...charts].some((chart) => among(asked, chart))
  })
}

function neverWas(asked: Asked, stop: Did<'stop'>): boolean {
  const undone = of(asked, 'undo').some(
    (u) => u.stop === stop.stop && u.at >= stop.at && u.at - stop.at <= 10 * MINUTE,
  )
  const believed = of(asked, 'believe').some((b) => b.stop === stop.stop)
  const dismissed = of(asked, 'dismiss').some((d) => d.stop === stop.stop && d.byTwo)
  return undone || (dismissed && stop.provisional && !believed)
}

/** When it was taken back by somebody who may; `null`: it was not. */
function withdrawnAt(asked: Asked, stop: Did<'stop'>): number | null {
  const birth = birthOf(asked)
  const may = (w: Did<'withdraw'>): boolean => {
    if (w.stop !== stop.stop || w.requester === 'family') return false
    if (stop.requester === 'person' || stop.requester === 'agent') return w.requester === 'person'
    if (stop.requester !== 'guardian' || birth === null || birthday(birth, 0) !== birth) return false
    const grown = dayAt(w.at) >= birthday(birth, 16)
    return w.requester === (grown ? 'person' : 'guardian')
  }
  return of(asked, 'withdraw').find((w) => may(w))?.at ?? null
}

function stopInForce(asked: Asked): boolean {
  return stopsFor(asked).some((stop) => !neverWas(asked, stop) && withdrawnAt(asked, stop) === null)
}

// the person

/** What each chart of the person says last, charts that say nothing left out. */
function lastWords(asked: Asked, word: (step: Step) => [Chart, Day | null] | null): Day[] {
  const last = new Map<Chart, Day | null>()
  for (const step of asked.done) {
    const said = word(step)
    if (said && among(asked, said[0])) last.set(said[0], said[1])
  }
  return [...last.values()].filter((day) => day !== null)
}

function birthOf(asked: Asked): Day | null {
  const births = lastWords(asked, (step) => (step.t === 'seen' ? [step.chart, step.birth] : null))
  return new Set(births).size === 1 ? births[0]! : null
}

function birthsDiffer(asked: Asked): boolean {
  return new Set(lastWords(asked, (step) => (step.t === 'seen' ? [step.chart, step.birth] : null))).size > 1
}

function deathOf(asked: Asked): Day | null {
  const deaths = [
    ...lastWords(asked, (step) => (step.t === 'seen' ? [step.chart, step.died] : null)),
    ...lastWords(asked, (step) => (step.t === 'death' ? [step.chart, step.on] : null)),
  ]
  return deaths.toSorted()[0] ?? null
}

function held(asked: Asked): boolean {
  if (birthsDiffer(asked)) return true
  const set = new Set<string>()
  for (const step of asked.done) {
    if (step.t === 'hold' && among(asked, step.chart)) set.add(`${step.chart} ${step.reason}`)
    if (step.t === 'clear') set.delete(`${step.chart} ${step.reason}`)
  }
  if (set.size > 0) return true
  const death = deathOf(asked)
  if (death === null || asked.story.facility.deathPolicy === 'allow') return false
  const review = asked.done.findLast(
    (step) =>
      (step.t === 'hold' || step.t === 'clear') && step.reason === 'death-review' && among(asked, step.chart),
  )
  return !(review?.t === 'clear' && dayAt(review.at) >= death)
}

// notices

interface Paper {
  handing: Handing
  /** When its clock starts. */
  start: number
}

/** The papers that reached somebody who could read them, each with the moment from which it counts. */
function papersOf(asked: Asked): Paper[] {
  const papers: Paper[] = []
  asked.done.forEach((step, index) => {
    if (step.t !== 'hand' || !among(asked, step.chart) || step.role === 'other') return
    const paper = paperOf(asked, step, latestClock(asked.done.slice(0, index)))
    if (paper) papers.push(paper)
  })
  return papers
}

function paperOf(asked: Asked, step: Did<'hand'>, seen: number): Paper | null {
  const { rules, facility } = asked.story
  const entered = Math.max(step.at, seen)
  const assumed = midnightOf(plusDays(dayAt(entered), rules.postArrivalDays))
  const said = step.said ?? (step.method === 'post' ? assumed : entered)
  if (said > entered && step.method !== 'post') return null
  const backdated = said <= entered && dayAt(said) < dayAt(entered)
  const before = templateOf(asked, step).publishedAt
  const approvedLater = of(asked, 'approve').some((a) => a.notice === step.notice && a.byTwo && !step.raw)
  const trusted = (step.secondPerson && step.evidence) || (approvedLater && said >= before)
  let start = backdated && !trusted ? entered : said
  const template = facility.templates.find((t) => t.track === step.track && t.version === step.version)!
  // before its text was published there was nothing to hand over, whoever says so
  if (backdated && (trusted || step.raw) && said < template.publishedAt) return null
  const issued = Math.min(entered, start)
  for (const a of of(asked, 'arrive')) {
    if (a.notice !== step.notice || step.method !== 'post' || a.arrivedAt > a.at) continue
    if (dayAt(a.arrivedAt) < dayAt(issued)) continue
    const arrived = Math.max(a.arrivedAt, issued)
    if (arrived >= start || a.byTwo) start = arrived
  }
  const known = of(asked, 'return').some((r) => r.notice === step.notice)
  const wrong = of(asked, 'void').some(
    (v) => v.notice === step.notice && (!v.undone || (v.at >= entered && v.at - entered <= 10 * MINUTE)),
  )
  if (known || wrong || !step.able) return null
  if (step.method === 'kiosk' && !of(asked, 'confirm').some((c) => c.notice === step.notice)) return null
  if (step.method === 'electronic' && !rules.electronicNoticeCounts) return null
  if (start < template.publishedAt || entered > asked.question.at + 2 * MINUTE) return null
  if (step.method !== 'post' && start > asked.question.at) return null
  return { handing: step, start }
}

/** The first day after the wait of one paper. */
function waited(asked: Asked, { handing, start }: Paper): Day {
  const { rules, facility } = asked.story
  const template = templateOf(asked, handing)
  const given = dayAt(start)
  let last = plusDays(given, Math.max(rules.waitDaysMin, facility.waitDays))
  if (template.saysOneMonth && rules.oneMonthWordingCounts && lastOfMonth(given) > last)
    last = lastOfMonth(given)
  const closing = {
    weekdays: rules.closedWeekdays,
    holidays: rules.closedOnPublicHolidays,
    yearEnd: rules.yearEndClosed,
    days: facility.closedDays,
  }
  while (rules.extendOverClosedDays && isClosed(last, closing)) last = plusDays(last, 1)
  return plusDays(last, 1)
}

function templateOf(asked: Asked, { track, version }: { track: string; version: number }) {
  return asked.story.facility.templates.find((t) => t.track === track && t.version === version)!
}

/** The first day on which everything the law asks is there; `null`: it is not. */
function firstDay(asked: Asked): Day | null {
  const { story, question, today } = asked
  const { rules } = story
  const birth = birthOf(asked)
  if (birth === null || birth > today || rules.placeholderBirthDates.includes(birth)) return null
  if (birthday(birth, 0) !== birth) return null
  if (today >= birthday(birth, rules.ageYearsMax)) return null
  const filed = filedVersion(story, question, today)
  if (!filedNow(asked, filed).includes(question.item)) return null
  const death = deathOf(asked)
  const after = freshFrom(asked)
  const counting = papersOf(asked).filter(
    (p) =>
      (death === null || dayAt(p.start) < death) &&
      p.start > after &&
      p.handing.track === question.track &&
      p.handing.operators.includes(question.operator) &&
      templateOf(asked, p.handing).operators.some((operator) => operator === question.operator),
  )
  const judged = of(asked, 'capacity').filter((c) => among(asked, c.chart))
  const unable = judged.at(-1)?.able === false
  const grownOn = birthday(birth, rules.ownNoticeAge)
  const minor = today < grownOn
  const ownSince = Math.max(minor ? -Infinity : midnightOf(grownOn), capacityBack(judged))
  const own = counting.filter((p) => p.handing.role === 'person' && p.start >= ownSince)
  const guardian = firstOf(
    asked,
    counting.filter((p) => p.handing.role === 'guardian'),
    filed,
  )
  let person = firstOf(asked, own, filed)
  const small = today < birthday(birth, rules.guardianCopySufficesBelowAge)
  person ??= small ? guardian : null
  if (person === null) return null
  let first = person
  if (minor || unable) {
    if (guardian === null) return null
    if (guardian > first) first = guardian
  }
  return death !== null && death < first ? plusDays(first, rules.deathExtraWaitDays) : first
}

/** The moment after which a paper must have been handed over: the last withdrawal of a stop that reached this. */
function freshFrom(asked: Asked): number {
  if (!asked.story.rules.withdrawalNeedsFreshNotice) return -Infinity
  const ends = stopsFor(asked)
    .filter((stop) => !neverWas(asked, stop))
    .map((stop) => withdrawnAt(asked, stop) ?? -Infinity)
  return Math.max(-Infinity, ...ends)
}

/** When capacity came back after it was judged absent. */
function capacityBack(judged: readonly { able: boolean; at: number }[]): number {
  let back = -Infinity
  judged.forEach((c, i) => {
    if (c.able && judged[i - 1]?.able === false) back = c.at
  })
  return back
}

/** What the version now filed and in force lists. */
function filedNow({ story, question, today }: Asked, filed: number): readonly string[] {
  const versions = story.facility.templates.filter(
    (t) =>
      t.track === question.track &&
      t.version <= filed &&
      t.publishedAt <= question.at &&
      (t.change === undefined || t.change.from <= today),
  )
  return versions.toSorted((a, b) => b.version - a.version)[0]?.items ?? [question.item]
}

/** Of the papers of one recipient, the day on which the first allows this item; `null`: none ever does. */
function firstOf(asked: Asked, papers: readonly Paper[], filed: number): Day | null {
  const { question, story } = asked
  const days: Day[] = []
  for (const paper of papers) {
    const template = templateOf(asked, paper.handing)
    if (template.version > filed || !template.items.includes(question.item)) continue
    let day = waited(asked, paper)
    if (template.startsOn !== undefined && template.startsOn > day) day = template.startsOn
    if (!story.rules.newItemsWaitAnew)
      for (const older of papers) {
        if (older.handing.version >= paper.handing.version) continue
        const sooner = [waited(asked, older), dayAt(paper.start)].toSorted()[1]!
        if (sooner < day) day = sooner
      }
    const told = toldOfChanges(asked, papers, template.version, filed)
    if (told !== null) days.push(told > day ? told : day)
  }
  return days.toSorted()[0] ?? null
}

/** The day by which the recipient knew of every change since that version that had to be told before it was made. */
function toldOfChanges(asked: Asked, papers: readonly Paper[], since: number, filed: number): Day | null {
  const { story, question, today } = asked
  const { rules } = story
  let day: Day = '0000-01-01'
  for (const { track, version, change } of story.facility.templates) {
    if (track !== question.track || version <= since || change === undefined) continue
    const mustTell =
      change.from <= today && change.items.some((item) => rules.noticeBeforeChange.includes(item))
    const late =
      !rules.sendAfterOverdueChange &&
      change.items.includes('i') &&
      plusDays(change.from, rules.withoutDelayDays) < today
    if (!mustTell && !late) continue
    if (filed < version) return null
    const anew = mustTell && change.items.some((item) => rules.freshWaitAfterChange.includes(item))
    const heard = papers
      .filter((p) => p.handing.version >= version)
      .map((p) => (anew ? waited(asked, p) : dayAt(p.start)))
      .toSorted()[0]
    if (heard === undefined) return null
    if (heard > day) day = heard
  }
  return day
}
