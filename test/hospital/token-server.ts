import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'

export interface TokenServer {
  /** What is known of the client, as its JWKS says. */
  known: JsonWebKey[]
  now: () => number
  endpoint: string
  lifetime: number
  scope: string | null
  /** Tokens given that still count, and how often one was asked for. */
  live: Set<string>
  asked: number
  answer(body: string): { status: number; body: string }
}

const seconds = (ms: number) => Math.floor(ms / 1000)

/** The authorization server of a hospital: every rule of SMART Backend Services that DATA §1.3 names, really checked. */
export function tokenServer(
  options: Partial<TokenServer> & Pick<TokenServer, 'endpoint' | 'now'>,
): TokenServer {
  const used = new Set<string>()
  const refuse = (error: string) => ({ status: 400, body: JSON.stringify({ error }) })
  const server: TokenServer = {
    known: [],
    lifetime: 300,
    scope: null,
    live: new Set(),
    asked: 0,
    ...options,
    answer(body) {
      server.asked++
      const form = new URLSearchParams(body)
      if (form.get('grant_type') !== 'client_credentials') return refuse('unsupported_grant_type')
      const [head = '', claims = '', signature = ''] = (form.get('client_assertion') ?? '').split('.')
      const { alg, kid, typ } = decoded(head)
      const jwk = server.known.find((key) => key['kid'] === kid && key['alg'] === alg)
      if (typ !== 'JWT' || !jwk) return refuse('invalid_client')
      const key = createPublicKey({ key: jwk, format: 'jwk' })
      const how = alg === 'ES384' ? { key, dsaEncoding: 'ieee-p1363' as const } : key
      const good = verify(
        'sha384',
        Buffer.from(`${head}.${claims}`),
        how,
        Buffer.from(signature, 'base64url'),
      )
      if (!good) return refuse('invalid_client')
      const { iss, sub, aud, exp, jti } = decoded(claims)
      const at = seconds(server.now())
      if (iss !== sub || aud !== server.endpoint || used.has(String(jti))) return refuse('invalid_grant')
      if (Number(exp) <= at || Number(exp) > at + 300) return refuse('invalid_grant')
      used.add(String(jti))
      const token = `token-${server.live.size}-${server.asked}`
      server.live.add(token)
      const scope = server.scope ?? form.get('scope')
      const told = { access_token: token, token_type: 'bearer', expires_in: server.lifetime, scope }
      return { status: 200, body: JSON.stringify(told) }
    },
  }
  return server
}

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
}
