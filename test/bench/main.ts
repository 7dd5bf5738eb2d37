import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { counterTimes } from './counter.ts'
import { floor } from './floor.ts'
import { gateRate } from './gate.ts'
import { machine } from './machine.ts'
import { pipeline } from './pipeline.ts'
import { readingFigures } from './reading.ts'
import { storageFigures } from './ssmix2.ts'
import { sealing } from './sealing.ts'
import { benchSources, linesOf, type BenchSource } from './source.ts'
import { markdown, type Figures, type Walk } from './table.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    patients: { type: 'string', default: '2000' },
    help: { type: 'boolean', default: false },
  },
})

const say = (sentence: string): void => console.error(sentence)

/** One source through the plain upload and through the whole walk; its lines are given to `look` before. */
async function walk(
  dir: string,
  source: BenchSource,
  look: (lines: readonly string[]) => void,
): Promise<Walk> {
  mkdirSync(dir)
  say(source.said)
  const { lines, ...bytes } = linesOf(source)
  look(lines)
  const count = lines.length
  lines.length = 0
  say('the plain upload …')
  const upload = await floor(dir, source)
  say('the whole walk …')
  return { source, ...bytes, lines: count, floor: upload, pipeline: await pipeline(dir, source, say) }
}

if (values.help)
  console.log(`npm run bench -- [--json] [--patients 2000]
Agent, gateway and vault as processes on this machine, one hospital's export from its folder to the vault: the data in
../shared that none of us wrote (heavy charts; left out when it is not there), then --patients of the project's own
generator (ordinary ones). Takes a few minutes.`)
else {
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-bench-'))
  try {
    const here = machine()
    const gatePerSecond = gateRate(Date.now())
    say('the counter over 100,000 patients …')
    const counter = await counterTimes(dir)
    say('an SS-MIX2 storage …')
    const storage = await storageFigures(dir)
    const sources = await benchSources(dir, Number(values.patients))
    say('reading alone, and one patient with 100,000 records …')
    const reading = sources[0] ? await readingFigures(dir, sources[0].folder) : null
    const figures: Figures = {
      machine: here,
      walks: [],
      counter,
      sealing: null,
      gatePerSecond,
      reading,
      storage,
    }
    for (const source of sources)
      figures.walks.push(
        await walk(join(dir, source.name), source, (lines) => (figures.sealing ??= sealing(lines))),
      )
    console.log(values.json ? JSON.stringify(figures, null, 2) : markdown(figures))
  } finally {
    if (process.env['KAKEHASHI_KEEP']) say(`kept: ${dir}`)
    else rmSync(dir, { recursive: true, force: true })
  }
}
