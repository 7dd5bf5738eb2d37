import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { answer, type FhirCall, type FhirService } from './fhir-service.ts'

export interface FhirServer {
  /** Base URL, without a slash at its end. */
  url: string
  service: FhirService
  close(): Promise<void>
}

/** Puts a hospital's FHIR service behind a socket of the loopback interface. */
export async function listen(service: FhirService, port = 0): Promise<FhirServer> {
  const server = createServer((request, response) => {
    void serve(service, request, response)
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/fhir`,
    service,
    close: () => closed(server),
  }
}

async function serve(
  service: FhirService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const call: FhirCall = {
    method: request.method ?? 'GET',
    url: `http://${request.headers.host}${request.url}`,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : (value ?? ''),
      ]),
    ),
    body: Buffer.concat(chunks).toString('utf8'),
  }
  const told = await answer(service, call)
  response.writeHead(told.status, told.headers)
  response.end(told.body)
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((done) => server.close(() => done()))
}

/** Loads every `*.ndjson` and `*.ndjson.gz` of a folder; answers how many resources. */
export async function loadFolder(service: FhirService, folder: string): Promise<number> {
  let count = 0
  for (const name of (await readdir(folder)).filter((n) => /\.ndjson(\.gz)?$/.test(n)).toSorted()) {
    const file = createReadStream(join(folder, name))
    const input = name.endsWith('.gz') ? file.pipe(createGunzip()) : file
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (line.trim() === '') continue
      service.put(line)
      count++
    }
  }
  return count
}
