import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { counterTimes } from './counter.ts'
import { floor } from './floor.ts'
import { gateRate } from './gate.ts'
import { machine } from './machine.ts'
import { pipeline } from './pipeline.ts'
import { sealing } from './sealing.ts'
import { benchSource, linesOf } from './source.ts'
import { markdown, type Figures } from './table.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    patients: { type: 'string', default: '2000' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help)
  console.log(`npm run bench -- [--json] [--patients 2000]
Agent, gateway and vault as processes on this machine, one hospital's export from its folder to the vault. Takes a few
minutes. Needs ../shared for data that none of us wrote; without it --patients of the project's own generator.`)
else {
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-bench-'))
  const say = (sentence: string): void => console.error(sentence)
  try {
    const here = machine()
    const source = await benchSource(dir, Number(values.patients))
    say(source.said)
    const { lines, plainBytes, gzipBytes } = linesOf(source)
    const alone = { sealing: sealing(lines), gatePerSecond: gateRate(Date.now()) }
    const count = lines.length
    lines.length = 0
    say('the counter over 100,000 patients …')
    const counter = await counterTimes(dir)
    say('the plain upload …')
    const upload = await floor(dir, source)
    say('the whole walk …')
    const figures: Figures = {
      machine: here,
      source: source.said,
      plainBytes,
      gzipBytes,
      lines: count,
      pipeline: await pipeline(dir, source, say),
      floor: upload,
      counter,
      ...alone,
    }
    console.log(values.json ? JSON.stringify(figures, null, 2) : markdown(figures))
  } finally {
    if (process.env['KAKEHASHI_KEEP']) say(`kept: ${dir}`)
    else rmSync(dir, { recursive: true, force: true })
  }
}
