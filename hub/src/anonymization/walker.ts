import type { LocalDate } from '@kakehashi/protocol/rules/state'
import { ageAt, ageBand, shiftDate } from './dates.ts'
import type { Profile, Rule } from './profile.ts'
import { prefectureOf } from './regions.ts'

/** What the operations need to know of the person: an offset and the day ages are told for. */
export interface About {
  pseudonym: string
  offsetDays: number
  asOf: LocalDate
}

type Json = Record<string, unknown>
type Operation = (value: unknown, about: About) => unknown

interface Trie {
  children: Map<string, Trie>
  operation: Operation | null
}

type Codes = [path: string[], values: Set<string>]

export type Dropped = 'no-rule' | 'modifier-extension' | 'not-required-status'

export type Kept = { kept: Json } | { dropped: Dropped }

export interface Walker {
  types: readonly string[]
  walk(type: string, payload: string, about: About): Kept
}

/** Compiles a profile once into one trie per resource type. What no rule names is never even looked at. */
export function compileWalker(profile: Profile): Walker {
  const tries = new Map<string, { trie: Trie; require: Codes[]; refuse: Codes[] }>()
  for (const [type, { rules, require, refuse }] of Object.entries(profile.resources)) {
    const trie: Trie = { children: new Map(), operation: null }
    for (const [path, rule] of Object.entries(rules))
      if (rule.op !== 'drop') place(trie, path.split('.'), rule)
    tries.set(type, { trie, require: codesOf(require), refuse: codesOf(refuse) })
  }
  return {
    types: [...tries.keys()],
    walk(type, payload, about) {
      const plan = tries.get(type)
      if (!plan) return { dropped: 'no-rule' }
      // @NOTE a modifier may negate everything beside it (「…ではない」): the resource goes as a whole.
      if (payload.includes('"modifierExtension"') || payload.includes('"implicitRules"'))
        return { dropped: 'modifier-extension' }
      const resource: unknown = JSON.parse(payload)
      const has = ([path, values]: Codes): boolean => codesAt(resource, path).some((code) => values.has(code))
      if (!plan.require.every(has) || plan.refuse.some(has)) return { dropped: 'not-required-status' }
      const kept = (keep(plan.trie, resource, about) ?? {}) as Json
      const person = `Patient/${about.pseudonym}`
      return {
        kept:
          type === 'Patient'
            ? { ...kept, resourceType: type, id: about.pseudonym }
            : { ...kept, resourceType: type, subject: { reference: person } },
      }
    },
  }
}

function codesOf(table: Record<string, string[]>): Codes[] {
  return Object.entries(table).map(([path, values]) => [path.split('.'), new Set(values)])
}

function place(trie: Trie, path: string[], rule: Rule): void {
  let node = trie
  for (const name of path) {
    let next = node.children.get(name)
    if (!next) node.children.set(name, (next = { children: new Map(), operation: null }))
    node = next
  }
  node.operation = operationOf(rule)
}

function keep(trie: Trie, value: unknown, about: About): unknown {
  if (Array.isArray(value)) {
    const parts = value.map((v) => keep(trie, v, about)).filter((v) => v !== undefined)
    return parts.length === 0 ? undefined : parts
  }
  if (trie.operation) return trie.operation(value, about)
  if (typeof value !== 'object' || value === null) return undefined
  const kept: Json = {}
  let any = false
  for (const [name, child] of trie.children) {
    const member = (value as Json)[name]
    if (member === undefined || member === null) continue
    const part = keep(child, member, about)
    if (part === undefined) continue
    kept[name] = part
    any = true
  }
  return any ? kept : undefined
}

function operationOf(rule: Rule): Operation {
  switch (rule.op) {
    case 'keep-code':
      return keepCode(rule)
    case 'shift-date':
      return (value, about) =>
        typeof value === 'string' ? (shiftDate(value, about.offsetDays, rule.finest) ?? undefined) : undefined
    case 'age-band':
      return (value, about) => {
        const age = typeof value === 'string' ? ageAt(value, about.asOf) : null
        return age === null ? undefined : ageBand(age, rule.width, rule.top)
      }
    case 'region':
      return (value) => (typeof value === 'string' ? (prefectureOf(value) ?? undefined) : undefined)
    case 'keep-number':
      return keepNumber(rule)
    case 'drop':
      return () => undefined
  }
}

function keepCode(rule: Extract<Rule, { op: 'keep-code' }>): Operation {
  const systems = new Map(
    Object.entries(rule.systems ?? {}).map(([system, pattern]) => [
      system,
      new RegExp(`^(?:${pattern})$`, 'u'),
    ]),
  )
  const values = new Set(rule.values)
  return (value) => {
    if (typeof value === 'string') return values.has(value) ? value : undefined
    if (typeof value !== 'object' || value === null) return undefined
    const { system, code } = value as Json
    if (typeof system !== 'string' || typeof code !== 'string') return undefined
    return systems.get(system)?.test(code) ? { system, code } : undefined
  }
}

function keepNumber(rule: Extract<Rule, { op: 'keep-number' }>): Operation {
  const units = new Set(rule.units)
  return (value) => {
    if (typeof value !== 'object' || value === null) return undefined
    const { value: number, code, unit, comparator } = value as Json
    const named = typeof code === 'string' ? code : unit
    if (typeof number !== 'number' || !Number.isFinite(number) || comparator !== undefined) return undefined
    if (typeof named !== 'string' || !units.has(named)) return undefined
    return { value: Math.min(Math.max(number, rule.min), rule.max), code: named }
  }
}

function codesAt(node: unknown, path: readonly string[]): string[] {
  if (Array.isArray(node)) return node.flatMap((n) => codesAt(n, path))
  if (typeof node === 'string') return path.length === 0 ? [node] : []
  if (typeof node !== 'object' || node === null) return []
  const [name, ...rest] = path
  if (name !== undefined) return codesAt((node as Json)[name], rest)
  const { code } = node as Json
  return typeof code === 'string' ? [code] : []
}
