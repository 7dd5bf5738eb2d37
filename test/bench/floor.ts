import { fork } from 'node:child_process'
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip, gzipSync } from 'node:zlib'
import type { BenchSource } from './source.ts'

export interface FloorFigures {
  resources: number
  seconds: number
  bytes: number
}

const LINES_PER_POST = 1500

/**
 * The upload a hospital would write in an afternoon: each line through JSON.parse, 1,500 lines gzipped and posted to
 * a process that writes and fsyncs them. No gate, no seal, no index, no receipt, no resuming: what our guarantees are
 * measured against, on the same files, machine and run.
 */
export async function floor(dir: string, source: BenchSource): Promise<FloorFigures> {
  const server = fork(join(import.meta.dirname, 'floor-server.ts'), [join(dir, 'floor.bin')], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  try {
    const { port } = await new Promise<{ port: number }>((resolve) =>
      server.once('message', (said) => resolve(said as { port: number })),
    )
    const figures: FloorFigures = { resources: 0, seconds: 0, bytes: 0 }
    const begun = performance.now()
    let held: string[] = []
    const post = async () => {
      const body = gzipSync(held.join('\n'), { level: 1 })
      held = []
      figures.bytes += body.length
      await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: new Uint8Array(body) })
    }
    for (const name of readdirSync(source.folder).filter((n) => /\.ndjson(\.gz)?$/.test(n))) {
      const file = createReadStream(join(source.folder, name))
      const input = name.endsWith('.gz') ? file.pipe(createGunzip()) : file
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        if (line === '') continue
        JSON.parse(line)
        figures.resources++
        held.push(line)
        if (held.length === LINES_PER_POST) await post()
      }
    }
    if (held.length > 0) await post()
    figures.seconds = (performance.now() - begun) / 1000
    return figures
  } finally {
    server.disconnect()
  }
}
