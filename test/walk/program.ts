import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as rest } from 'node:timers/promises'
import { MEMORY_FLAGS } from '@kakehashi/protocol/memory-bound'

const ROOT = join(import.meta.dirname, '../..')
const CLOCK = join(import.meta.dirname, 'shifted-clock.ts')
export const AGENT = join(ROOT, 'agent/src/main.ts')
export const HUB = join(ROOT, 'hub/src/main.ts')

export interface Ended {
  code: number
  out: string
  err: string
}

/** Starting is half as dear when the stripped modules are kept from one start to the next. */
export const KEPT_MODULES = { NODE_COMPILE_CACHE: join(tmpdir(), 'kakehashi-compiled') }

function argv(main: string, args: readonly string[]): string[] {
  return ['--disable-warning=ExperimentalWarning', '--import', CLOCK, main, ...args]
}

/** Runs one of the two programs to its end, unchanged, on a clock `shiftMs` ahead. */
export function runToEnd(
  main: string,
  args: readonly string[],
  options: { shiftMs?: number; input?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const env = {
    ...KEPT_MODULES,
    ...process.env,
    ...options.env,
    KAKEHASHI_SHIFT_MS: String(options.shiftMs ?? 0),
  }
  const child = spawn(process.execPath, argv(main, args), { env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(options.input ?? '')
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, out, err }))
  })
}

/** A long-running program of the house as a process of its own, its output in a file. */
export class Program {
  readonly name: string
  readonly #main: string
  readonly #args: readonly string[]
  readonly #log: string
  #child: ChildProcess | null = null
  #shiftMs: number

  constructor(
    name: string,
    main: string,
    args: readonly string[],
    options: { log: string; shiftMs?: number },
  ) {
    this.name = name
    this.#main = main
    this.#args = args
    this.#log = options.log
    this.#shiftMs = options.shiftMs ?? 0
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Started, and not ended by itself. */
  get alive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** How it ended by itself, or by somebody else's hand. */
  get ended(): string | null {
    const { exitCode = null, signalCode = null } = this.#child ?? {}
    return signalCode ?? (exitCode === null ? null : `exit ${exitCode}`)
  }

  get output(): string {
    return readFileSync(this.#log, 'utf8')
  }

  start(): void {
    const log = openSync(this.#log, 'a')
    const env = { ...KEPT_MODULES, ...process.env, KAKEHASHI_SHIFT_MS: String(this.#shiftMs) }
    // the channel to this process keeps it from bounding itself
    this.#child = spawn(process.execPath, [...MEMORY_FLAGS, ...argv(this.#main, this.#args)], {
      env,
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
  }

  /** Moves the program's clock; resolves when it has. */
  async shift(shiftMs: number): Promise<void> {
    this.#shiftMs = shiftMs
    const child = this.#child
    if (!child?.connected) return
    await new Promise<void>((resolve) => {
      const heard = (message: unknown): void => {
        if (typeof message !== 'object' || message === null || !('shiftedTo' in message)) return
        child.off('message', heard)
        resolve()
      }
      child.on('message', heard)
      child.send({ shiftMs })
    })
  }

  /** Resolves once `GET url` answers anything; rejects when the program ends first or after `seconds`. */
  async answers(url: string, seconds = 30): Promise<void> {
    for (let tries = 0; tries < seconds * 10; tries++) {
      if (this.#child?.exitCode !== null) break
      try {
        await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) })
        return
      } catch {
        await rest(100)
      }
    }
    throw new Error(`${this.name} does not answer at ${url}\n${this.output.slice(-2000)}`)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await closed
    clearTimeout(late)
  }
}
