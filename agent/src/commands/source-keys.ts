import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Refused } from '@kakehashi/protocol/refusals'
import { installationAt, readInstalledConfig, writePrivate } from '../installation.ts'
import { type Algorithm, type ClientKey, publicKeys, readKeys, rotated } from '../sources/fhir/auth/keys.ts'

/** Where the configuration says that the keys of a source lie. */
function keysFileOf(dir: string, id: string): string {
  const config = readInstalledConfig(installationAt(resolve(dir)), process.env)
  const source = config.sources.find((one) => one.id === id)
  if (source === undefined || !('auth' in source) || source.auth.kind !== 'smart')
    throw new Refused('NOT_FOUND', `${id} (auth: smart)`)
  return resolve(source.auth.keysFile)
}

function keysIn(path: string, id: string): ClientKey[] {
  return existsSync(path) ? readKeys(readFileSync(path, 'utf8'), id) : []
}

function algorithm(text: string): Algorithm {
  if (text !== 'ES384' && text !== 'RS384') throw new Refused('NOT_FOUND', `--alg ${text}`)
  return text
}

function make(id: string, options: { dir: string; alg: string }): void {
  const path = keysFileOf(options.dir, id)
  const keys = rotated(keysIn(path, id), algorithm(options.alg))
  writePrivate(path, JSON.stringify({ keys }))
  console.error(
    [
      `新しい鍵を作りました: ${path}（この機械の外に出さないでください）`,
      '次にすること: 下の公開鍵（JWKS）を電子カルテのサーバーの管理者に渡し、登録してもらってください。',
      '登録が済むまでは、前の鍵が引き続き使われます。',
    ].join('\n'),
  )
  console.log(JSON.stringify(publicKeys(keys), null, 2))
}

function show(id: string, options: { dir: string }): void {
  const path = keysFileOf(options.dir, id)
  console.log(JSON.stringify(publicKeys(keysIn(path, id)), null, 2))
}

export function sourceKeysCommands(sources: Command): void {
  sources
    .command('keys <source>')
    .description('電子カルテのサーバーに示す鍵を新しく作り、渡すべき公開鍵を出す（前の鍵も一つ残す）')
    .option('--alg <alg>', 'ES384 または RS384', 'ES384')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(make)
  sources
    .command('jwks <source>')
    .description('電子カルテのサーバーに渡す公開鍵（JWKS）を出す')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(show)
}
