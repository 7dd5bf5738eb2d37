import type { Checkpoint } from '../../connector.ts'

/** Where reading by export stands. */
export interface BulkState {
  /** `transactionTime` of the last export that was read to its end. */
  since: string | null
  lastFullAt: number | null
  /** Not before this is the next export asked for. */
  nextAt: number
  /** Who was in the group, as a digest. */
  members: string | null
  job: BulkJob | null
}

export interface BulkJob {
  /** Where its status is asked: after a restart too. */
  status: string
  full: boolean
  startedAt: number
  members: string | null
  /** Files that were read to their end. */
  done: string[]
}

export function readState(checkpoint: Checkpoint | null): BulkState {
  if (checkpoint !== null) return JSON.parse(checkpoint) as BulkState
  return { since: null, lastFullAt: null, nextAt: 0, members: null, job: null }
}
