/** Half of what a program of the house may take for objects that die young, in MiB; Node's own bound is 64 and more. */
const YOUNG_MIB_MAX = 4

const YOUNG = `--max-semi-space-size=${YOUNG_MIB_MAX}`
/** Rather collect once more than take more room from the machine. */
export const MEMORY_FLAGS: readonly string[] = [YOUNG, '--optimize-for-size']

/**
 * Node lets its heap grow with the machine it finds; a hospital's machine has other work. The bounds can only be given
 * at the start, so a program that was started without them, with a command that runs for good, puts itself anew in its
 * own place: the same process id, arguments, input and output. Call it before anything else is loaded. Where a process
 * cannot replace itself (Windows, an open channel to the parent), it goes on as it is, and needs more.
 */
export function boundMemory(lasting: readonly string[]): void {
  if (!lasting.includes(process.argv[2] ?? '')) return
  const told = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
  if (told.includes('semi-space-size') || process.channel || process.platform === 'win32') return
  const args = [process.execPath, ...MEMORY_FLAGS, ...process.execArgv, ...process.argv.slice(1)]
  process.execve?.(process.execPath, args, process.env)
}
