/** Half of what a program of the house may take for objects that die young, in MiB. */
const YOUNG_MIB_MAX = 8

const FLAG = `--max-semi-space-size=${YOUNG_MIB_MAX}`

/**
 * Node lets the room for young objects grow with the machine: to 64 MiB twice, for a program that holds 50. The bound
 * can only be given at the start, so a program that was started without it puts itself anew in its own place: the same
 * process id, arguments, input and output. Call it before anything else is loaded. Where a process cannot replace
 * itself (Windows, an open channel to the parent), it goes on as it is, and needs some 130 MiB more.
 */
export function boundYoungSpace(): void {
  const told = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
  if (told.includes('semi-space-size') || process.channel || process.platform === 'win32') return
  const args = [process.execPath, FLAG, ...process.execArgv, ...process.argv.slice(1)]
  process.execve?.(process.execPath, args, process.env)
}
