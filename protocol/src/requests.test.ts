import { expect, test } from 'vitest'
import { systemEnv } from './env.ts'
import { signRequest, verifyRequest } from './requests.ts'
import { fromHex, newSigningKey } from './signing.ts'
import { vectors } from './vectors.ts'

interface RequestVector {
  name: string
  method: string
  path: string
  body: string
  headers: Record<string, string>
  now: number
  expect: string
}

const known = vectors<{ public: string; cases: RequestVector[] }>('requests')
const agentOne = (by: string): Uint8Array | null => (by === 'agent-1' ? fromHex(known.public) : null)

test.each(known.cases)('$name', ({ method, path, body, headers, now, expect: expected }) => {
  const request = { method, path, body: new TextEncoder().encode(body), headers }
  const verdict = verifyRequest(request, agentOne, now)
  expect('code' in verdict ? verdict.code : verdict.by).toBe(expected)
})

test('no two requests share a nonce, and the verifier hands it on', () => {
  const env = systemEnv()
  const key = newSigningKey(env)
  const request = { method: 'GET', path: '/v1/control?after=0', body: new Uint8Array() }
  const nonces = new Set<string>()
  for (let i = 0; i < 50; i++) {
    const headers = signRequest(request, 'vault', key, env)
    const verdict = verifyRequest({ ...request, headers }, () => key.public, env.now())
    if ('nonce' in verdict) nonces.add(verdict.nonce)
  }
  expect(nonces.size).toBe(50)
})
