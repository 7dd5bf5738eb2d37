import { canonical } from '@kakehashi/protocol/canonical'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { z } from 'zod'
import { ELEMENTS, OPERATION_PLACES, OPERATION_TYPES } from './elements.ts'
import { viewDefinition } from './view/view-shape.ts'

const criteria = z.array(z.number().int().min(1).max(5)).min(1)
const word = z.string().regex(/^[a-z][a-z0-9_]{0,40}$/)

const rule = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('keep-code'),
    criteria,
    /** For a Coding: code system → the whole pattern its codes must have. */
    systems: z.record(z.string(), z.string()).optional(),
    /** For a code: the closed list. */
    values: z.array(z.string()).optional(),
  }),
  z.strictObject({ op: z.literal('shift-date'), criteria, finest: z.enum(['day', 'month']).default('day') }),
  z.strictObject({
    op: z.literal('age-band'),
    criteria,
    width: z.number().int().min(1).max(20),
    top: z.number().int().min(50).max(90),
  }),
  z.strictObject({ op: z.literal('region'), criteria }),
  z.strictObject({
    op: z.literal('keep-number'),
    criteria,
    units: z.array(z.string()).min(1),
    min: z.number(),
    max: z.number(),
  }),
  z.strictObject({ op: z.literal('drop'), criteria }),
])

export const profileShape = z.strictObject({
  apiVersion: z.literal('kakehashi/anonymization-1'),
  name: word,
  version: z.number().int().min(1),
  title: z.string().min(1).max(200),
  track: z.literal('ANON'),
  resources: z.record(
    z.string(),
    z.strictObject({
      /** Element → values one of which it must have; else the whole resource is left out. */
      require: z.record(z.string(), z.array(z.string())).default({}),
      /** Element → values with any of which the whole resource is left out (entered in error, refuted). */
      refuse: z.record(z.string(), z.array(z.string())).default({}),
      rules: z.record(z.string(), rule),
    }),
  ),
  dates: z.strictObject({
    rangeDays: z.number().int().min(30).max(366),
    multipleOf: z.union([z.literal(1), z.literal(7)]),
    /** Events this close to the ends of the asked window are left out: a shifted date past an end tells the offset. */
    edgeMarginDays: z.number().int().min(0).max(366),
  }),
  privacy: z.strictObject({
    k: z.number().int().min(2),
    /** Why, when `k` is below ten. */
    smallKReason: z.string().optional(),
    suppressionLimit: z.number().min(0).max(0.5),
    rareCodeMin: z.number().int().min(2),
    tailMin: z.number().int().min(2),
    diversityMin: z.number().int().min(1),
    regionMin: z.number().int().min(1),
    /** Share of persons an intruder who knows one event may single out; above it nothing is built. */
    singledOutMax: z.number().min(0).max(1),
  }),
  /** The table of persons: its quasi-identifiers, each with the hierarchy that generalises it. */
  persons: z.strictObject({
    view: word,
    quasi: z.array(z.strictObject({ column: word, hierarchy: z.enum(['sex', 'age', 'region']) })).min(1),
  }),
  /** The tables of events: which column is a code, a number with its unit, a date. */
  events: z.array(
    z.strictObject({
      view: word,
      system: word,
      code: word,
      hierarchy: z.enum(['icd10', 'none']),
      number: word.nullable(),
      unit: word.nullable(),
      date: word.nullable(),
    }),
  ),
  views: z.array(viewDefinition).min(1),
})

export type Profile = z.infer<typeof profileShape>
export type Rule = z.infer<typeof rule>

export class ProfileRefused extends Error {
  override name = 'ProfileRefused'
}

/** Reads a profile strictly. Throws {@link ProfileRefused} when anything is unknown, ill-typed or a criterion is empty. */
export function readProfile(json: unknown): Profile {
  const parsed = profileShape.safeParse(json)
  if (!parsed.success)
    throw new ProfileRefused(parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; '))
  const profile = parsed.data
  for (const [type, { rules, require, refuse }] of Object.entries(profile.resources)) {
    const elements = ELEMENTS[type]
    if (!elements) throw new ProfileRefused(`${type}: not a resource a profile may name`)
    for (const path of Object.keys({ ...require, ...refuse }))
      if (elements[path] !== 'code' && elements[path] !== 'Coding')
        throw new ProfileRefused(`${type}.${path}: only a code can be required`)
    for (const [path, one] of Object.entries(rules)) checkRule(type, path, one)
  }
  if (profile.privacy.k < 10 && !profile.privacy.smallKReason)
    throw new ProfileRefused('privacy.k: below 10 needs privacy.smallKReason')
  const views = new Set(profile.views.map((v) => v.name))
  for (const view of [profile.persons.view, ...profile.events.map((e) => e.view)])
    if (!views.has(view)) throw new ProfileRefused(`views: ${view} is missing`)
  const empty = coverage(profile).filter((c) => c.by.length === 0)
  if (empty.length > 0)
    throw new ProfileRefused(`criteria ${empty.map((c) => c.criterion).join(', ')}: nothing meets them`)
  return profile
}

function checkRule(type: string, path: string, one: Rule): void {
  const at = `${type}.${path}`
  const element = ELEMENTS[type]?.[path]
  if (element === undefined) throw new ProfileRefused(`${at}: not an element a profile may name`)
  if (one.op === 'drop') return
  const types: readonly string[] = OPERATION_TYPES[one.op]
  if (!types.includes(element)) throw new ProfileRefused(`${at}: ${one.op} cannot keep a ${element}`)
  const place = OPERATION_PLACES[one.op]
  if (place !== undefined && place !== at) throw new ProfileRefused(`${at}: ${one.op} is for ${place} only`)
  if (one.op !== 'keep-code') return
  if (element === 'Coding' && Object.keys(one.systems ?? {}).length === 0)
    throw new ProfileRefused(`${at}: a Coding needs its list of code systems`)
  if (element === 'code' && (one.values ?? []).length === 0)
    throw new ProfileRefused(`${at}: a code needs its list of values`)
}

export function profileHash(profile: Profile): string {
  return sha256Hex('kakehashi/profile\0', canonical(profile))
}

export interface Covered {
  criterion: 1 | 2 | 3 | 4 | 5
  japanese: string
  by: string[]
}

/** How this profile meets each of the five criteria of the Ministry rules: rules by path, then the fixed machinery. */
export function coverage(profile: Profile): Covered[] {
  const rules = Object.entries(profile.resources).flatMap(([type, { rules }]) =>
    Object.entries(rules).map(([path, one]) => ({
      at: `${type}.${path}: ${one.op}`,
      criteria: one.criteria,
    })),
  )
  const by = (n: number, fixed: readonly string[]): string[] => {
    const named = rules.filter((r) => r.criteria.includes(n)).map((r) => r.at)
    return named.length === 0 ? [] : [...named, ...fixed]
  }
  const { privacy, dates } = profile
  return [
    {
      criterion: 1,
      japanese: '特定の個人を識別できる記述等の削除',
      by: by(1, [
        'default: every element without a rule is dropped',
        'type: text, names, narratives cannot be kept',
      ]),
    },
    {
      criterion: 2,
      japanese: '個人識別符号の削除',
      by: by(2, [
        'type: identifiers cannot be kept',
        'scan: identifiers of the cohort in the package fail the build',
      ]),
    },
    {
      criterion: 3,
      japanese: '連結符号の削除',
      by: by(3, [
        'pseudonyms: random per person and release',
        `dates: random offset per person and release, ±${dates.rangeDays} days, never 0`,
        'order: shuffled by pseudonym',
      ]),
    },
    {
      criterion: 4,
      japanese: '特異な記述等の削除',
      by: by(4, [
        `codes of fewer than ${privacy.rareCodeMin} persons generalised, then dropped`,
        `numbers clipped so that each tail holds ${privacy.tailMin} persons`,
      ]),
    },
    {
      criterion: 5,
      japanese: 'データベースの性質を踏まえた措置',
      by: by(5, [
        `k-anonymity ${privacy.k} over ${profile.persons.quasi.map((q) => q.column).join(', ')}`,
        `simulated intruder with one and two known events; with one at most ${privacy.singledOutMax * 100}% singled out`,
        'independent re-count of what was written',
      ]),
    },
  ]
}
