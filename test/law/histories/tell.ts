import { entityId, facilityId, filingId, operatorId } from '@kakehashi/protocol/ids'
import { RULES, type RuleFile } from '@kakehashi/protocol/rules/rule-file'
import type { FilingFact, ItemClass, NoticeItem, TemplateFact, Track } from '@kakehashi/protocol/rules/state'
import { Dice } from './dice.ts'
import type { Chart, Handing, Question, Step, Story } from './story.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000
const FACILITY = facilityId('hp')
const OPERATORS = ['op-x', 'op-y'].map((id) => operatorId(id))
const TRACKS: readonly Track[] = ['ANON', 'PSEUDO']
const ITEMS: readonly ItemClass[] = ['identity', 'laboratory', 'laboratory', 'image', 'medication']
const CHANGES: readonly NoticeItem[][] = [['iii'], ['i'], ['v'], ['iv', 'vii'], ['viii'], ['ii']]
const [BUILT_IN] = RULES

/** Other values that two people might approve; each must be obeyed as written. */
const RULE_FILES: readonly RuleFile[] = [
  BUILT_IN!,
  BUILT_IN!,
  BUILT_IN!,
  { ...BUILT_IN!, version: 'no-extension', extendOverClosedDays: false },
  { ...BUILT_IN!, version: 'longer', waitDaysMin: 45, yearEndClosed: { from: '12-25', to: '01-10' } },
  { ...BUILT_IN!, version: 'electronic', electronicNoticeCounts: true, postArrivalDays: 3 },
  {
    ...BUILT_IN!,
    version: 'strict',
    sendAfterOverdueChange: false,
    withoutDelayDays: 10,
    deathExtraWaitDays: 7,
  },
  { ...BUILT_IN!, version: 'waits-after-change', freshWaitAfterChange: ['ii', 'iv', 'v', 'vi', 'vii'] },
  { ...BUILT_IN!, version: 'items-at-once', newItemsWaitAnew: false, guardianCopySufficesBelowAge: 6 },
  { ...BUILT_IN!, version: 'old-notice-stands', withdrawalNeedsFreshNotice: false, ownNoticeAge: 18 },
]

const dayOf = (at: number): string => new Date(at + 9 * HOUR).toISOString().slice(0, 10)

/** One random story, the same for the same seed. */
export function tell(seed: number): Story {
  return new Teller(seed).story()
}

class Teller {
  readonly #dice: Dice
  readonly #seed: number
  readonly #start: number
  #clock: number
  #back = 0
  #birth: string | null = null
  #notices = 0
  #stops = 0
  readonly #steps: Step[] = []
  readonly #templates: TemplateFact[] = []
  constructor(seed: number) {
    this.#seed = seed
    this.#dice = new Dice(seed)
    // the end of February, the turn of a year and the long holidays come up often
    const season = this.#dice.of([
      '2024-12-20',
      '2025-04-20',
      '2026-01-25',
      '2027-01-28',
      '2028-01-27',
      '2026-06-10',
    ])
    this.#start = Date.parse(`${season}T00:00:00+09:00`) + this.#dice.below(20 * DAY)
    this.#clock = this.#start
  }

  story(): Story {
    const rules = this.#dice.of(RULE_FILES)
    const facility = this.#facility()
    for (const chart of [0, 1, 2] as const) this.#seen(chart)
    if (this.#dice.chance(0.8)) this.#properly()
    const steps = 1 + this.#dice.below(9)
    for (let i = 0; i < steps; i++) this.#step()
    const trouble = this.#dice.chance(0.01)
    return {
      seed: this.#seed,
      rules,
      facility,
      operator: {
        tracks: this.#dice.chance(0.95) ? [...TRACKS] : ['ANON'],
        certified: !trouble,
        statusAgeMs: this.#dice.chance(0.99) ? HOUR : 8 * DAY,
      },
      steps: this.#steps,
      questions: this.#questions(),
    }
  }

  #facility(): Story['facility'] {
    const dice = this.#dice
    for (const track of TRACKS) {
      this.#template(track, 1, this.#start - 100 * DAY, ['identity', 'laboratory', 'medication'], undefined)
      if (!dice.chance(0.6)) continue
      const publishedAt = this.#start + dice.below(60 * DAY)
      const items = dice.of<ItemClass[]>([
        ['identity', 'laboratory', 'medication', 'image'],
        ['identity', 'laboratory'],
        ['identity', 'laboratory', 'medication'],
      ])
      const change = { items: dice.of(CHANGES), from: dayOf(publishedAt + dice.below(40) * DAY) }
      this.#template(track, 2, publishedAt, items, change)
    }
    const filings = TRACKS.flatMap((track) => this.#filings(track))
    return {
      facility: FACILITY,
      entity: { entity: entityId('corp'), name: '法人', address: '住所', representative: '理事長' },
      templates: this.#templates,
      filings,
      waitDays: dice.of([0, 30, 30, 30, 31, 40]),
      deathPolicy: dice.of(['hold', 'allow']),
      closedDays: dice.chance(0.3)
        ? [2, 3, 31, 32].map((n) => dayOf(this.#start + (n + dice.below(5)) * DAY))
        : [],
      endedOn: dice.chance(0.03) ? dayOf(this.#start + dice.below(200) * DAY) : null,
    }
  }

  #template(
    track: Track,
    version: number,
    publishedAt: number,
    items: ItemClass[],
    change: TemplateFact['change'],
  ): void {
    const dice = this.#dice
    this.#templates.push({
      version,
      track,
      hash: `${track === 'ANON' ? 'a' : 'c'}${version}`.repeat(32),
      items,
      operators: version === 2 && dice.chance(0.6) ? [...OPERATORS] : [OPERATORS[0]!],
      publishedAt,
      saysOneMonth: dice.chance(0.3),
      ...(dice.chance(0.2) ? { startsOn: dayOf(this.#start + dice.below(50) * DAY) } : {}),
      ...(change ? { change } : {}),
    })
  }

  #filings(track: Track): FilingFact[] {
    const dice = this.#dice
    if (dice.chance(track === 'ANON' ? 0.01 : 0.3)) return []
    const fact = (n: number, templateVersion: number, days: number): FilingFact => ({
      filing: filingId(`f-${track}-${n}`),
      track,
      templateVersion,
      acceptedOn: dayOf(this.#start + days * DAY),
      endedOn: dice.chance(0.03) ? dayOf(this.#start + dice.below(150) * DAY) : null,
      ...(dice.chance(0.05) ? { entity: entityId(dice.of(['corp', 'other'])) } : {}),
      ...(dice.chance(0.05) ? { facilities: [facilityId(dice.of(['hp', 'hp-2']))] } : {}),
    })
    const first = fact(1, dice.chance(0.4) ? 99 : 1, dice.below(30) - 40)
    return dice.chance(0.5) ? [first, fact(2, 2, dice.below(60))] : [first]
  }

  #seen(chart: Chart): void {
    const dice = this.#dice
    const children = this.#start + dice.below(60 * DAY)
    const child = `${Number(dayOf(children).slice(0, 4)) - dice.of([16, 16, 16, 18, 5])}${dayOf(children).slice(4)}`
    const known = this.#birth !== null && dice.chance(0.93)
    const birth = known
      ? this.#birth
      : dice.chance(0.05)
        ? dice.of([null, '1900-01-01', '2099-01-01', '1890-02-02'])
        : dice.chance(0.35)
          ? dice.of([child, child, '2012-02-29', '2010-06-15'])
          : '1970-03-03'
    this.#birth ??= birth
    const died = dice.chance(0.03) ? dayOf(this.#start + (dice.below(60) - 10) * DAY) : null
    this.#add({ t: 'seen', chart, birth, died: died !== null && died > dayOf(this.#clock) ? null : died })
  }

  /** As it should be: the first chart's person, and the guardian of a child, are handed the notice. */
  #properly(): void {
    this.#pass()
    const template = this.#templates[0]!
    const common = {
      chart: 0 as Chart,
      track: 'ANON' as Track,
      version: 1,
      method: 'handed' as const,
      able: true,
      operators: [...template.operators] as string[],
      said: null,
      secondPerson: false,
      raw: false,
      evidence: false,
    } satisfies Omit<Handing, 'notice' | 'role'>
    this.#add({ t: 'hand', notice: this.#notices++, role: 'person', ...common })
    if (this.#birth !== '1970-03-03')
      this.#add({ t: 'hand', notice: this.#notices++, role: 'guardian', ...common })
  }

  #add(step: Step extends infer S ? (S extends Step ? Omit<S, 'at'> : never) : never): void {
    this.#steps.push({ ...step, at: this.#clock - this.#back } as Step)
  }

  #pass(): void {
    const dice = this.#dice
    this.#clock += dice.of([
      1,
      30_000,
      5 * MINUTE,
      9 * MINUTE,
      HOUR,
      7 * HOUR,
      DAY,
      5 * DAY,
      16 * DAY,
      30 * DAY,
      31 * DAY,
    ])
    if (this.#back > 0 && dice.chance(0.6)) this.#back = 0
    else if (dice.chance(0.03)) this.#back = dice.of([MINUTE, 3 * MINUTE, HOUR, 2 * DAY, 40 * DAY])
  }

  #step(): void {
    const dice = this.#dice
    this.#pass()
    const chart = dice.of<Chart>([0, 0, 0, 1, 1, 2])
    const kind = dice.below(100)
    if (kind < 42) return this.#hand(chart)
    if (kind < 56) return this.#aboutNotice()
    if (kind < 65) return this.#stop(chart)
    if (kind < 81) return this.#aboutStop()
    if (kind < 84) return this.#add({ t: 'capacity', chart, able: dice.chance(0.5) })
    if (kind < 85)
      return this.#add({
        t: 'death',
        chart,
        on: dice.chance(0.2) ? null : dayOf(this.#clock - dice.below(5) * DAY),
      })
    if (kind < 88) return this.#hold(chart)
    if (kind < 90) return this.#seen(chart)
    const other = ((chart + 1 + dice.below(2)) % 3) as Chart
    if (kind < 96) return this.#add({ t: 'merge', chart, other, certain: dice.chance(0.8) })
    this.#add({ t: 'unmerge', chart, other })
  }

  #hand(chart: Chart): void {
    const dice = this.#dice
    const track = dice.of<Track>(['ANON', 'ANON', 'PSEUDO'])
    const versions = this.#templates.filter((t) => t.track === track)
    const template = dice.of(versions)
    const roles: Handing['role'][] = dice.of<Handing['role'][]>([
      ['person'],
      ['person'],
      ['guardian'],
      ['person', 'guardian'],
      ['other'],
    ])
    const method = dice.of<Handing['method']>(['handed', 'handed', 'handed', 'kiosk', 'post', 'electronic'])
    const said = dice.chance(0.2)
      ? this.#clock + dice.of([-40 * DAY, -DAY, -8 * HOUR, -MINUTE, 3 * DAY])
      : null
    const common = {
      chart,
      track,
      version: template.version,
      method,
      able: dice.chance(0.95),
      operators: dice.chance(0.8) ? [...template.operators] : [dice.of(OPERATORS)],
      said,
      secondPerson: dice.chance(0.5),
      raw: dice.chance(0.2),
      evidence: dice.chance(0.8),
    }
    for (const role of roles) this.#add({ t: 'hand', notice: this.#notices++, role, ...common })
  }

  #aboutNotice(): void {
    const dice = this.#dice
    if (this.#notices === 0) return
    const notice = Math.max(0, this.#notices - 1 - dice.below(3))
    const kind = dice.below(12)
    if (kind >= 10) this.#add({ t: 'approve', notice, byTwo: dice.chance(0.6) })
    else if (kind < 4) this.#add({ t: 'confirm', notice })
    else if (kind < 6) this.#add({ t: 'return', notice })
    else if (kind < 8) this.#add({ t: 'void', notice, undone: dice.chance(0.5) })
    else
      this.#add({
        t: 'arrive',
        notice,
        arrivedAt: this.#clock - dice.below(12) * DAY,
        byTwo: dice.chance(0.5),
      })
  }

  #stop(chart: Chart): void {
    const dice = this.#dice
    this.#add({
      t: 'stop',
      stop: this.#stops++,
      chart,
      requester: dice.of(['person', 'person', 'guardian', 'family', 'agent']),
      tracks: dice.of([null, null, [], ['ANON'], ['PSEUDO']]),
      operators: dice.of([null, null, null, [], ['op-x'], ['op-y']]),
      provisional: dice.chance(0.3),
    })
  }

  #aboutStop(): void {
    const dice = this.#dice
    if (this.#stops === 0) return
    const stop = Math.max(0, this.#stops - 1 - dice.below(2))
    const kind = dice.below(10)
    if (kind < 5)
      this.#add({
        t: 'withdraw',
        stop,
        requester: dice.of(['person', 'person', 'guardian', 'family', 'agent']),
      })
    else if (kind < 8) this.#add({ t: 'undo', stop })
    else if (kind < 9) this.#add({ t: 'believe', stop })
    else this.#add({ t: 'dismiss', stop, byTwo: dice.chance(0.5) })
  }

  #hold(chart: Chart): void {
    const reason = this.#dice.of(['identity', 'death-review', 'death-review', 'other'] as const)
    this.#add({ t: this.#dice.chance(0.4) ? 'hold' : 'clear', chart, reason })
  }

  /** Right after a step, and at the edges of days a month or so later, where waits end. */
  #questions(): Question[] {
    const dice = this.#dice
    const questions: Question[] = []
    for (let i = 0; i < 6; i++) {
      const after = dice.chance(0.6) ? this.#steps.length : 3 + dice.below(this.#steps.length - 2)
      const past = this.#steps.slice(0, after)
      const paper = past.findLast((step) => step.t === 'hand' && step.chart === 0)
      const last = (dice.chance(0.5) ? paper : undefined)?.at ?? past.at(-1)!.at
      const days = dice.of([0, 0, 1, 28, 29, 30, 31, 32, 33, 34, 36, 40, 46, 70])
      const midnight = Date.parse(`${dayOf(last + days * DAY)}T00:00:00+09:00`)
      const at = dice.chance(0.1)
        ? last + dice.of([-40 * DAY, -HOUR, -MINUTE, 0])
        : Math.max(past.at(-1)!.at, dice.chance(0.5) ? last + days * DAY : midnight - dice.below(2))
      questions.push({
        at,
        after,
        chart: dice.of<Chart>([0, 0, 0, 0, 1, 2]),
        track: dice.of<Track>(['ANON', 'ANON', 'ANON', 'ANON', 'ANON', 'PSEUDO']),
        operator: dice.of(['op-x', 'op-x', 'op-x', 'op-x', 'op-x', 'op-y']),
        item: dice.of(ITEMS),
      })
    }
    return questions
  }
}
