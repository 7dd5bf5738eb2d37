import { DatabaseSync } from 'node:sqlite'
import { systemEnv } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import { readConfig, type SourceConfig } from './config.ts'
import { connectorsOf } from './connectors.ts'
import type { HttpGet } from './sources/fhir/wire.ts'
import { openAgentStore } from './store/store.ts'

const CAPABILITY = JSON.stringify({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', rest: [] })

async function asked(
  auth: Extract<SourceConfig, { kind: 'fhir-rest' }>['auth'],
): Promise<string | undefined> {
  const headers: (string | undefined)[] = []
  const get: HttpGet = async (request) => {
    headers.push(request.headers['authorization'])
    return { status: 200, headers: {}, body: Buffer.from(CAPABILITY) }
  }
  const store = await openAgentStore(new DatabaseSync(':memory:'), systemEnv())
  const text = JSON.stringify({
    hub: 'https://hub.example',
    facility: 'h1',
    sources: [{ id: 'ehr', kind: 'fhir-rest', base: 'https://ehr.example/fhir', auth }],
  })
  const secrets: Record<string, string> = { EHR_TOKEN: 'geheim', EHR_USER: '読取', EHR_PASSWORD: 'p:w' }
  const [connector] = connectorsOf(readConfig(text), store, get, (name) => secrets[name])
  await connector?.probe(new AbortController().signal)
  return headers[0]
}

test('a FHIR server is asked with the credentials that its configuration names', async () => {
  expect(await asked({ kind: 'none' })).toBeUndefined()
  expect(await asked({ kind: 'bearer', tokenEnv: 'EHR_TOKEN' })).toBe('Bearer geheim')
  const pair = Buffer.from('読取:p:w').toString('base64')
  expect(await asked({ kind: 'basic', userEnv: 'EHR_USER', passwordEnv: 'EHR_PASSWORD' })).toBe(
    `Basic ${pair}`,
  )
})

test('a secret that is not there is named by its variable, before anything is asked', async () => {
  const missing = asked({ kind: 'bearer', tokenEnv: 'NOT_SET' })
  await expect(missing).rejects.toThrow(Refused)
  await expect(missing).rejects.toThrow('SOURCE_UNAUTHORIZED at ehr: NOT_SET')
})
