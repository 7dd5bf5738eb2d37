import type { Command } from 'commander'
import { examine } from '../doctor/checks.ts'
import { EXIT } from './failure.ts'
import { using } from './opened.ts'

async function doctor(options: { dir: string; json?: boolean }): Promise<void> {
  await using(options.dir, async (opened) => {
    const findings = await examine(opened)
    if (findings.some((f) => !f.ok)) process.exitCode = EXIT.wrong
    if (options.json) return console.log(JSON.stringify(findings))
    for (const { check, ok, found, remedy } of findings) {
      console.log(`${ok ? 'OK' : 'NG'}  ${check}: ${found}`)
      if (remedy) console.log(`    → ${remedy}`)
    }
  })
}

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('健康診断：それぞれOK・NGと直し方を示す（NGがあれば終了コード1）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--json', 'JSONで出す')
    .action(doctor)
}
