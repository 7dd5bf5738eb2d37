#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { facilityCommand } from './commands/facility.ts'
import { EXIT, report } from './commands/failure.ts'
import { initCommand } from './commands/init.ts'
import { runCommand } from './commands/run.ts'
import { staffCommand } from './commands/staff.ts'

const program = new Command('agent')
  .description('架け橋エージェント：病院の記録を、法に従って、止められた人のものは送らずに届ける')
  .version('0.1.0')
  .exitOverride()

for (const command of [initCommand, facilityCommand, staffCommand, runCommand]) command(program)
for (const command of program.commands) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? (error.exitCode === 0 ? EXIT.ok : EXIT.unusable) : report(error)
}
