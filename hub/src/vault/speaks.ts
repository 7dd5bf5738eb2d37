/** From this version on an agent ignores what it does not know, and takes stops by name and lists of records. */
const SINCE = [0, 2] as const

/**
 * Whether an agent may be told in full. One that has not said yet what it is was enrolled just now; one that is older is
 * told what its version could read, and the rest when its heartbeat names a newer one.
 */
export function speaksFully(software: string | null): boolean {
  if (software === null) return true
  const version = /(\d+)\.(\d+)\.\d+$/.exec(software)
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)]
  return major > SINCE[0] || (major === SINCE[0] && minor >= SINCE[1])
}
