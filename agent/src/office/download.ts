import { Readable } from 'node:stream'
import type { Context } from 'hono'

/** A file made while it is sent: as much of it is made as the browser has taken. */
export function download(
  c: Context,
  file: { name: string; type: string },
  content: AsyncIterable<string | Uint8Array>,
): Response {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const part of content) yield typeof part === 'string' ? Buffer.from(part, 'utf8') : part
  }
  const body = Readable.toWeb(Readable.from(bytes(), { objectMode: false })) as ReadableStream
  return c.body(body, 200, {
    'content-type': file.type,
    'content-disposition': `attachment; filename="${file.name}"`,
    'cache-control': 'no-store',
  })
}
