import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Postgres {
  url: string
  stop: () => void
}

/** The folder of PostgreSQL's server programs (≥ 15) on this machine, or `null`. */
export function postgresPrograms(): string | null {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return null
  const versions = readdirSync(root)
    .filter((name) => Number(name) >= 15 && existsSync(join(root, name, 'bin/initdb')))
    .toSorted((a, b) => Number(b) - Number(a))
  return versions[0] === undefined ? null : join(root, versions[0], 'bin')
}

/** Starts a throw-away cluster on a free loopback port. PostgreSQL refuses root, so root runs it as `postgres`. */
export async function startPostgres(programs: string): Promise<Postgres> {
  const home = mkdtempSync(join(tmpdir(), 'kakehashi-pg-'))
  const asRoot = process.getuid?.() === 0
  if (asRoot) {
    const uid = Number(execFileSync('id', ['-u', 'postgres'], { encoding: 'utf8' }))
    const gid = Number(execFileSync('id', ['-g', 'postgres'], { encoding: 'utf8' }))
    chownSync(home, uid, gid)
  }
  const run = (program: string, args: string[]) => {
    const path = join(programs, program)
    const [file, argv] = asRoot ? ['runuser', ['-u', 'postgres', '--', path, ...args]] : [path, args]
    execFileSync(file, argv, { cwd: '/', stdio: 'ignore' })
  }
  const data = join(home, 'data')
  const port = await freePort()
  run('initdb', ['-D', data, '-U', 'kakehashi', '--auth=trust', '-E', 'UTF8', '--no-locale'])
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${home} -c max_connections=300 -c fsync=off -c full_page_writes=off`
  run('pg_ctl', ['-D', data, '-w', '-o', options, '-l', join(home, 'log'), 'start'])
  return {
    url: `postgres://kakehashi@127.0.0.1:${port}/postgres`,
    stop: () => {
      run('pg_ctl', ['-D', data, '-m', 'immediate', 'stop'])
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('no port'))
      })
    })
  })
}
