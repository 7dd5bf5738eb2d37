#!/usr/bin/env -S node --max-semi-space-size=8
import { Command, CommanderError } from 'commander'
import { backupCommands } from './commands/backup.ts'
import { deskCommands } from './commands/desk.ts'
import { doctorCommand } from './commands/doctor.ts'
import { dryRunCommand } from './commands/dry-run.ts'
import { exportCommand } from './commands/export.ts'
import { facilityCommand } from './commands/facility.ts'
import { EXIT, report } from './commands/failure.ts'
import { importCommands } from './commands/import.ts'
import { initCommand } from './commands/init.ts'
import { rulesCommands } from './commands/rules.ts'
import { rotateKeysCommand } from './commands/rotate-keys.ts'
import { runCommand } from './commands/run.ts'
import { sourcesCommand } from './commands/sources.ts'
import { staffCommand } from './commands/staff.ts'
import { statusCommand } from './commands/status.ts'
import { verifyCommand } from './commands/verify.ts'

const COMMANDS = [
  initCommand,
  facilityCommand,
  rulesCommands,
  staffCommand,
  runCommand,
  statusCommand,
  sourcesCommand,
  doctorCommand,
  dryRunCommand,
  deskCommands,
  backupCommands,
  rotateKeysCommand,
  verifyCommand,
  exportCommand,
  importCommands,
]

process.umask(0o077)

const program = new Command('agent')
  .description('架け橋エージェント：病院の記録を、法に従って、止められた人のものは送らずに届ける')
  .version('0.1.0')
  .exitOverride()

for (const command of COMMANDS) command(program)
for (const command of program.commands) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? (error.exitCode === 0 ? EXIT.ok : EXIT.unusable) : report(error)
}
