import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  node: string
  date: string
  /** Of one minute, as the run began: above the number of cores others were at work and every rate is too low. */
  load: number
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
}

export interface Cost {
  /** Peak resident memory. */
  peakMiB: number
  cpuSeconds: number
}

const TICKS_PER_SECOND = 100

/** What a living process has taken so far, from `/proc`; `null` where there is none. */
export function costOf(pid: number | null): Cost | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { peakMiB: Number(peak) / 1024, cpuSeconds: ticks / TICKS_PER_SECOND }
  } catch {
    return null
  }
}
