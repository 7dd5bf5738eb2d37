/** A run in which one of these never happened proves nothing about it. */
export const SOMETIMES = [
  'stop while a batch is in flight',
  'stop while a batch is at the gateway',
  'stop at counter and portal within an hour',
  'stop before notice',
  'second stop repeated',
  'stop at counter and portal in the same minute',
  'stop while the agent is offline',
  'stop by a guardian and then by the child',
  'gateway lost its store',
  'agent restored from an older image',
  'agent restored while a stop taken since is at the hub alone',
  'forged withdrawal met',
  'duplicate delivered after its answer was lost',
  'death between commit and answer',
  'power cut with work under way',
  'clock back',
  'notice while the clock is known to run behind',
  'disk full met by a write',
  'connection cut mid-upload',
  'request replayed after reboot',
  'batch refused at the hub',
  'batch accepted',
  'batch dropped because the gate had closed',
  'stop from the portal reached the agent',
  'withdrawal reached the hub',
  'turned 16 after sending',
  'merge of a stopped chart',
  'notice voided after sending',
  'source unreachable when the gate was open',
  'hub away for more than a day',
  'erasure completed',
  'eligible chart expected at the hub',
] as const

export type Sometimes = (typeof SOMETIMES)[number]

export function missing(seen: ReadonlyMap<string, number>): string[] {
  return SOMETIMES.filter((name) => (seen.get(name) ?? 0) === 0)
}
