import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { createGunzip } from 'node:zlib'
import { pipeline, Readable } from 'node:stream'
import type { FhirClient } from '../client.ts'
import { type Line, linesOf } from '../lines.ts'
import { pause } from '../pause.ts'
import { retryMs } from '../retry-after.ts'
import type { ExportFile } from './manifest.ts'

const ATTEMPTS_MAX = 4

interface Standing {
  start: number
  line: number
}

/**
 * The lines of one exported file. A download that breaks off, or that ends inside a line, goes on behind the last whole
 * line: by `Range` where the server knows it, else by reading anew and passing over what was told (DATA T24).
 */
export async function* fileLines(
  client: FhirClient,
  file: ExportFile,
  env: Env,
  signal: AbortSignal,
): AsyncGenerator<Line[]> {
  const at: Standing = { start: 0, line: 1 }
  for (let attempt = 0; ; attempt++) {
    const last = attempt + 1 >= ATTEMPTS_MAX
    try {
      const cut = yield* once(client, file, at, last, signal)
      if (!cut) return
    } catch (error) {
      signal.throwIfAborted()
      const broken = error instanceof Refused && error.refusal.code === 'SOURCE_UNREACHABLE'
      if (!broken || last) throw error
    }
    await pause(env, retryMs({}, attempt, env.now()), signal)
  }
}

/** Moves `at` on behind every line it gives. Answers whether the file ended inside a line. */
async function* once(
  client: FhirClient,
  file: ExportFile,
  at: Standing,
  last: boolean,
  signal: AbortSignal,
): AsyncGenerator<Line[], boolean> {
  const range: Record<string, string> =
    at.start > 0 ? { range: `bytes=${at.start}-`, 'accept-encoding': 'identity' } : {}
  const { url, credentials } = file
  const headers = { accept: 'application/fhir+ndjson', ...range }
  const answer = await client.open({ url, place: placeOf(file), credentials, headers }, signal)
  if (answer.status !== 200 && answer.status !== 206) {
    // 416: everything was told before the connection broke
    if (answer.status === 416 && at.start > 0) return false
    throw new Refused('SOURCE_ANSWER_BAD', `${placeOf(file)} (${answer.status})`)
  }
  const whole = answer.status === 200 ? passedOver(unpacked(answer.body), at.start) : answer.body
  for await (const lines of linesOf(whole, { ...at })) {
    for (const line of lines) {
      if (!last && (await endsInside(line))) return true
      at.start = line.start + line.length
      at.line = line.line + 1
    }
    yield lines
  }
  return false
}

/** A last line without its end that is no JSON either: the rest of it did not come. */
async function endsInside({ bytes, ended }: Line): Promise<boolean> {
  if (ended || bytes === null) return false
  try {
    JSON.parse(Buffer.from(bytes).toString('utf8'))
    return false
  } catch {
    return true
  }
}

async function* passedOver(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const chunk of body) {
    if (left < chunk.length) yield chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

/** Files that are packed themselves, not only on their way. */
async function* unpacked(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done) return
  const rest = (async function* () {
    yield first.value
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  })()
  const packed = first.value[0] === 0x1f && first.value[1] === 0x8b
  if (!packed) return yield* rest
  try {
    yield* pipeline(Readable.from(rest), createGunzip(), () => {})
  } catch (error) {
    throw error instanceof Refused ? error : new Refused('SOURCE_UNREACHABLE')
  }
}

/** For people. A signed URL is never said (DATA T26). */
export function placeOf({ type, print }: ExportFile): string {
  return `$export ${type ?? 'file'} ${print.slice(0, 8)}`
}
