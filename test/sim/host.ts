import type { Env, Instant } from '@kakehashi/protocol/env'
import { CLOCK_BACKSTEP_MS_MAX } from '@kakehashi/protocol/limits'
import type { Disk } from './disk.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** Thrown inside a process that was killed: nothing after it has any effect. */
export class Dead extends Error {
  override name = 'Dead'
}

/** One machine with one process: its clock, its randomness, its disks, and whether it is up. */
export class Host {
  readonly name: string
  readonly world: World
  readonly random: Prng
  readonly disks: Disk[] = []
  up = false
  /** Counts boots: a timer, an answer or a statement of an earlier boot finds nobody. */
  boot = 0
  #skew = 0
  #shown = Number.NEGATIVE_INFINITY
  /** Told of every death, so that somebody can start it again. */
  died: () => void = () => {}

  constructor(name: string, world: World, random: Prng) {
    this.name = name
    this.world = world
    this.random = random
  }

  clock(): Instant {
    return this.world.now + this.#skew
  }

  /** What its clock shows minus true time. */
  get skew(): number {
    return this.#skew
  }

  set skew(ms: number) {
    this.#shown = Math.max(this.#shown, this.clock())
    this.#skew = ms
  }

  /** The latest time its clock ever showed: all that a machine cut off from others can know to have passed. */
  latest(): Instant {
    return Math.max(this.#shown, this.clock())
  }

  /** The latest time its program surely wrote down before the clock was set back. */
  noticed = Number.NEGATIVE_INFINITY

  /** Its clock shows less than its program knows to have passed. */
  get behind(): boolean {
    return this.clock() < this.noticed - CLOCK_BACKSTEP_MS_MAX
  }

  begin(): void {
    this.boot++
    this.up = true
  }

  alive(boot: number): boolean {
    return this.up && this.boot === boot
  }

  /** `kill -9`. */
  kill(): void {
    this.#end((disk) => disk.kill())
  }

  cutPower(): void {
    this.#end((disk) => disk.cutPower())
  }

  /** The env of the present boot. */
  env(): Env {
    const boot = this.boot
    return {
      now: () => this.clock(),
      random: (n) => this.random.bytes(n),
      id: () => this.random.uuid(),
      after: (ms, task) => this.world.after(ms, '', () => (this.alive(boot) ? task() : undefined)),
    }
  }

  #end(how: (disk: Disk) => void): void {
    if (!this.up) return
    this.up = false
    for (const disk of this.disks) how(disk)
    this.died()
  }
}
