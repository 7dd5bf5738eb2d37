/**
 * `npm run demo`: three hospitals, one operator, every program a process of its own on one virtual clock, from the
 * first notice to a reviewed release. `-- --serve` leaves the pages open; `-- --patients N` takes fewer charts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Scene } from './scene.ts'
import { erase, notify, open, send, stop, wait } from './acts.ts'
import { release, verify } from './release-acts.ts'

const { values } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    patients: { type: 'string', default: '200' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log('npm run demo -- [--serve] [--patients N] [--keep]')
  console.log('  --serve       leaves counter, portal and console open until Ctrl-C')
  console.log('  --patients N  takes N persons instead of 200')
  console.log('  --keep        keeps the folder with stores, logs and the package')
} else {
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-demo-'))
  const scene = new Scene(dir, Number(values.patients))
  process.once('SIGINT', () => void close(scene, dir, 130))
  try {
    for (const act of [open, notify, wait, send, stop, erase, release, verify]) await act(scene)
    if (values.serve) await scene.serve()
    await close(scene, dir, 0)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    await close(scene, dir, 1)
  }
}

async function close(scene: Scene, dir: string, code: number): Promise<void> {
  await scene.close()
  if (values.keep) console.log(`kept: ${dir}`)
  else rmSync(dir, { recursive: true, force: true })
  process.exit(code)
}
