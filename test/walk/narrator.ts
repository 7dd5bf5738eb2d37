import type { ReasonCount } from '@kakehashi/agent/gate/dry-run'

/** Says what happens, step by step, with the seconds it took. */
export class Narrator {
  #step = 0
  readonly #began = performance.now()

  step(title: string): void {
    this.#step++
    console.log(`\n── ${this.#step}. ${title}  [${this.seconds()} s]`)
  }

  say(line: string): void {
    console.log(`   ${line}`)
  }

  seconds(): string {
    return ((performance.now() - this.#began) / 1000).toFixed(0)
  }

  /** Who would leave and who would not, and why: the sum is the source's own count. */
  reasons(place: string, counted: Counted): void {
    const { open, reasons, source, reconciles } = counted
    this.say(`${place}: ${source.patients} patients, ${source.records} records in the source`)
    this.say(`  would leave      ${pad(open.patients)} patients ${pad(open.records)} records`)
    for (const r of reasons)
      this.say(`  ${r.code.padEnd(16)} ${pad(r.patients)} patients ${pad(r.records)} records  ${r.sentence}`)
    this.say(`  sums ${reconciles ? 'agree with the source' : 'DO NOT AGREE with the source'}`)
  }
}

export interface Counted {
  source: { patients: number; records: number }
  open: { patients: number; records: number }
  reasons: ReasonCount[]
  reconciles: boolean
}

function pad(n: number): string {
  return String(n).padStart(6)
}
