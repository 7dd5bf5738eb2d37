import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'

/** Takes what is posted, writes it to the file named on the command line, fsyncs, answers. Nothing else. */
const file = openSync(process.argv[2]!, 'a')
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  writeSync(file, Buffer.concat(chunks))
  fsyncSync(file)
  response.end('ok')
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 })
})
process.once('disconnect', () => {
  server.close()
  server.closeAllConnections()
  closeSync(file)
})
