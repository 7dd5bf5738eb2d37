import { readFileSync } from 'node:fs'
import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'
import type { Credentials } from './auth/credentials.ts'
import { readKeys } from './auth/keys.ts'
import { SmartTokens } from './auth/tokens.ts'
import type { ClientOptions } from './client.ts'
import { fhirBulk, fhirRest } from './config.ts'
import { type HttpOpen, openHttp, type WireOptions, wholeBy } from './wire.ts'

const configured = z.discriminatedUnion('kind', [
  z.object({ id: z.string(), ...fhirRest }),
  z.object({ id: z.string(), ...fhirBulk }),
])
export type ServerConfig = z.infer<typeof configured>

export interface Surroundings {
  env: Env
  /** What an environment variable holds. */
  secret: (name: string) => string | undefined
  /** By default the network, with the certificates that the configuration names. */
  open?: HttpOpen
}

/** How the server of one source is reached and what it is shown. Throws {@link Refused} naming what is not there. */
export function clientOf(source: ServerConfig, around: Surroundings): Omit<ClientOptions, 'env'> {
  const open = around.open ?? openHttp(wireOf(source))
  const get = wholeBy(open)
  const base = source.base.replace(/\/*$/, '/')
  const { perMinuteMax } = source
  return { base, credentials: credentialsOf(source, base, { ...around, open }), get, open, perMinuteMax }
}

function wireOf({ id, caFile, certFile, keyFile, proxy }: ServerConfig): WireOptions {
  const pem = (path: string): string => fileAt(path, `${id}: ${path}`)
  if ((certFile === null) !== (keyFile === null))
    throw new Refused('SOURCE_UNAUTHORIZED', `${id}: certFile, keyFile`)
  return {
    ...(caFile === null ? {} : { ca: pem(caFile) }),
    ...(certFile === null || keyFile === null
      ? {}
      : { certificate: { cert: pem(certFile), key: pem(keyFile) } }),
    ...(proxy === null ? {} : { proxy }),
  }
}

function credentialsOf(
  { id, auth }: ServerConfig,
  base: string,
  { env, secret, open }: Surroundings & { open: HttpOpen },
): Credentials {
  const told = (name: string): string => {
    const text = secret(name)
    if (text === undefined || text === '') throw new Refused('SOURCE_UNAUTHORIZED', `${id}: ${name}`)
    return text
  }
  switch (auth.kind) {
    case 'none':
      return { kind: 'none' }
    case 'bearer':
      return { kind: 'bearer', token: told(auth.tokenEnv) }
    case 'basic':
      return { kind: 'basic', user: told(auth.userEnv), password: told(auth.passwordEnv) }
    case 'smart': {
      const { clientId, keysFile, scope, tokenUrl } = auth
      const keys = readKeys(fileAt(keysFile, `${id}: ${keysFile}`), id)
      return {
        kind: 'smart',
        tokens: new SmartTokens({ base, clientId, keys, scope, tokenUrl, get: wholeBy(open), env }),
      }
    }
  }
}

function fileAt(path: string, place: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new Refused('SOURCE_UNAUTHORIZED', place)
  }
}
