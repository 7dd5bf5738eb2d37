import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hospitalCharts } from '@kakehashi/test/hospital/generator'
import { randomOf, type Random } from '@kakehashi/test/hospital/random'

export interface Held {
  type: string
  id: string
  /** Local number of the patient it is about. */
  number: string
  line: string
}

/**
 * A hospital's export folder that keeps changing while it is read: records appear, are revised and vanish, and whole
 * files are replaced under the reader. It remembers every version there ever was, so that anybody can be held to it.
 */
export class ChangingSource {
  readonly folder: string
  readonly numbers: string[] = []
  readonly #random: Random
  readonly #held = new Map<string, Held>()
  readonly #waiting: Held[] = []
  readonly #versions = new Map<string, Set<string>>()
  #changes = 0
  #vanished = 0

  /** Starts with everybody's Patient and Coverage; what happened at their visits comes with the steps. */
  constructor(folder: string, plan: { seed: string | number; patients: number }) {
    this.folder = folder
    this.#random = randomOf(plan.seed, 'changes')
    mkdirSync(folder, { recursive: true })
    for (const chart of hospitalCharts({ ...plan, hospital: 1 })) {
      this.numbers.push(chart.number)
      for (const { type, line } of chart.lines) {
        const { id } = JSON.parse(line) as { id: string }
        const held = { type, id, number: chart.number, line }
        if (type === 'Patient' || type === 'Coverage') this.#keep(held)
        else this.#waiting.push(held)
      }
    }
    this.#write(new Set(['Patient', 'Coverage']))
  }

  /** What the folder holds now. */
  get held(): IterableIterator<Held> {
    return this.#held.values()
  }

  /** Changes made so far. */
  get changes(): number {
    return this.#changes
  }

  get vanished(): number {
    return this.#vanished
  }

  get size(): number {
    return this.#held.size
  }

  versionsOf(type: string, id: string): ReadonlySet<string> {
    return this.#versions.get(`${type}/${id}`) ?? new Set()
  }

  /** One round of the hospital's day. */
  step({ vanish }: { vanish: boolean }): void {
    const touched = new Set<string>()
    const touch = (type: string): void => void touched.add(type)
    for (let n = this.#random.int(2, 8); n > 0; n--) touch(this.#appear())
    for (let n = this.#random.int(1, 5); n > 0; n--) touch(this.#revise())
    for (let n = vanish ? this.#random.int(0, 2) : 0; n > 0; n--) touch(this.#vanish())
    touched.delete('')
    this.#write(touched)
  }

  #keep(held: Held): string {
    const key = `${held.type}/${held.id}`
    this.#held.set(key, held)
    this.#versions.set(key, (this.#versions.get(key) ?? new Set()).add(held.line))
    this.#changes++
    return held.type
  }

  #appear(): string {
    const waiting = this.#waiting
    if (waiting.length === 0) return this.#again()
    const at = this.#random.int(0, waiting.length - 1)
    const [next] = waiting.splice(at, 1)
    return this.#keep(next!)
  }

  /** One more result like one there is. */
  #again(): string {
    const like = this.#some('Observation')
    if (!like) return ''
    const id = `obs-${like.number}-x${this.#changes}`
    return this.#keep({ ...like, id, line: this.#valued(like.line.replace(`"${like.id}"`, `"${id}"`)) })
  }

  #revise(): string {
    const one = this.#some('Observation') ?? null
    return one ? this.#keep({ ...one, line: this.#valued(one.line) }) : ''
  }

  /** A value that no version had before, with a zero at its end that must survive the way. */
  #valued(line: string): string {
    return line.replace(/"value":[\d.]+/, `"value":${this.#changes}.50`)
  }

  #vanish(): string {
    const one = this.#some('Observation')
    if (!one || this.#held.size < 100) return ''
    this.#held.delete(`${one.type}/${one.id}`)
    this.#changes++
    this.#vanished++
    return one.type
  }

  #some(type: string): Held | undefined {
    const all = [...this.#held.values()].filter((held) => held.type === type)
    return all.length === 0 ? undefined : this.#random.pick(all)
  }

  #write(types: ReadonlySet<string>): void {
    for (const type of types) {
      const lines = [...this.#held.values()].filter((held) => held.type === type)
      const path = join(this.folder, `${type}.ndjson`)
      writeFileSync(`${path}.new`, lines.map((held) => `${held.line}\n`).join(''))
      renameSync(`${path}.new`, path)
    }
  }
}
