export class PathRefused extends Error {
  override name = 'PathRefused'
}

type Json = Record<string, unknown>
type Step = (values: readonly unknown[]) => unknown[]
export type Walk = (node: unknown) => unknown[]

const NAME = /^[A-Za-z][A-Za-z0-9]*$/
const CALL = /^([A-Za-z]+)\(([^()]*)\)$/

/**
 * Compiles the subset of FHIRPath that views need: names, `ofType(x)` on a choice, `where(name = 'text')`,
 * `first()`, `getResourceKey()`, `getReferenceKey(Patient)`. Throws {@link PathRefused} on anything else.
 */
export function compilePath(path: string): Walk {
  const steps: Step[] = []
  const parts = split(path)
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? ''
    const call = CALL.exec(part)
    if (call) {
      steps.push(callStep(call[1] ?? '', call[2] ?? '', path))
      continue
    }
    if (part === '$this') continue
    if (!NAME.test(part)) throw new PathRefused(`${path}: ${part} is not understood`)
    const type = /^ofType\(([A-Za-z]+)\)$/.exec(parts[i + 1] ?? '')?.[1]
    if (type !== undefined) i++
    steps.push(memberStep(type === undefined ? part : part + type[0]?.toUpperCase() + type.slice(1)))
  }
  return (node) => steps.reduce<unknown[]>((values, step) => step(values), [node])
}

/** `path = 'text'` or `path.exists()`. */
export function compileCondition(text: string): (node: unknown) => boolean {
  const equals = /^(.+?)\s*=\s*'([^']*)'$/.exec(text)
  if (equals) {
    const walk = compilePath((equals[1] ?? '').trim())
    return (node) => walk(node).includes(equals[2])
  }
  const exists = /^(.+)\.exists\(\)$/.exec(text)
  if (!exists) throw new PathRefused(`${text}: not a condition`)
  const walk = compilePath(exists[1] ?? '')
  return (node) => walk(node).length > 0
}

function split(path: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const char of path) {
    if (char === '(') depth++
    if (char === ')') depth--
    if (char === '.' && depth === 0) {
      parts.push(part)
      part = ''
    } else part += char
  }
  return [...parts, part]
}

function memberStep(name: string): Step {
  return (values) =>
    values.flatMap((value) => {
      const member = typeof value === 'object' && value !== null ? (value as Json)[name] : undefined
      return member === undefined || member === null ? [] : Array.isArray(member) ? member : [member]
    })
}

function callStep(name: string, argument: string, path: string): Step {
  if (name === 'first' && argument === '') return (values) => values.slice(0, 1)
  if (name === 'getResourceKey' && argument === '') return memberStep('id')
  if (name === 'getReferenceKey' && argument === 'Patient')
    return (values) => memberStep('reference')(values).map((r) => String(r).replace(/^Patient\//, ''))
  if (name === 'where') {
    const condition = compileCondition(argument)
    return (values) => values.filter((value) => condition(value))
  }
  throw new PathRefused(`${path}: ${name}(${argument}) is not understood`)
}
