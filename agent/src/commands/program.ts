import { Command, CommanderError } from 'commander'
import { backupCommands } from './backup.ts'
import { deskCommands } from './desk.ts'
import { doctorCommand } from './doctor.ts'
import { dryRunCommand } from './dry-run.ts'
import { evidenceCommands } from './evidence.ts'
import { exportCommand } from './export.ts'
import { facilityCommand } from './facility.ts'
import { filingCommands } from './filing-sheet.ts'
import { EXIT, report } from './failure.ts'
import { importCommands } from './import.ts'
import { initCommand } from './init.ts'
import { noticeFactCommands } from './notice-facts.ts'
import { papersCommands } from './papers.ts'
import { rulesCommands } from './rule-file.ts'
import { rotateKeysCommand } from './rotate-keys.ts'
import { runCommand } from './run.ts'
import { sourcesCommand } from './sources.ts'
import { staffCommand } from './staff.ts'
import { statusCommand } from './status.ts'
import { verifyCommand } from './verify.ts'

const COMMANDS = [
  initCommand,
  facilityCommand,
  filingCommands,
  noticeFactCommands,
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
  papersCommands,
  evidenceCommands,
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
