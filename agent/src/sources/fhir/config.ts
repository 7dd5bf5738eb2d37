import { z } from 'zod'

const url = z.string().refine((text) => URL.canParse(text), 'URLの形ではありません')
const file = z.string().min(1, '場所が空です')

/** Read-only credentials; a secret itself comes from the environment or a file of its own, never from this one. */
const auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('bearer'), tokenEnv: z.string().min(1) }),
  z.strictObject({ kind: z.literal('basic'), userEnv: z.string().min(1), passwordEnv: z.string().min(1) }),
  /** SMART Backend Services; the key file is made by `agent sources keys`. */
  z.strictObject({
    kind: z.literal('smart'),
    clientId: z.string().min(1, 'クライアントIDが空です'),
    keysFile: file,
    scope: z.string().min(1).default('system/*.rs'),
    /** Only where the server has no `.well-known/smart-configuration`. */
    tokenUrl: url.nullable().default(null),
  }),
])

const server = {
  base: url,
  auth: auth.default({ kind: 'none' }),
  /** PEM of a private certificate authority in front of the server. */
  caFile: file.nullable().default(null),
  /** mTLS: our certificate and its key. */
  certFile: file.nullable().default(null),
  keyFile: file.nullable().default(null),
  proxy: url.nullable().default(null),
  /** Questions a minute that the hospital allows us; `null`: as fast as the server answers, four at a time. */
  perMinuteMax: z.number().int().min(1, '1より小さくできません').max(60_000).nullable().default(null),
  /** Other addresses under which the server refers to its own records. */
  aliases: z.array(url).default([]),
}

const hours = (most: number) => z.number().min(1, '1時間より短くできません').max(most)

export const fhirFolder = { kind: z.literal('fhir-folder'), folder: file }
export const fhirRest = { kind: z.literal('fhir-rest'), ...server }
export const fhirBulk = {
  kind: z.literal('fhir-bulk'),
  ...server,
  /** The whole system when empty. */
  level: z
    .string()
    .regex(/^(|Patient|Group\/[A-Za-z0-9.-]{1,64})$/, '空、Patient、Group/<ID> のどれかを書いてください')
    .default(''),
  types: z
    .array(z.string().regex(/^[A-Z][A-Za-z]+$/, 'FHIRの種類名を書いてください'))
    .min(1)
    .nullable()
    .default(null),
  everyHours: hours(24 * 7).default(20),
  fullEveryHours: hours(24 * 31).default(24 * 7),
}

/** A folder of exports was called `fhir-bulk` before a server could be. */
export function asNowCalled(source: unknown): unknown {
  if (typeof source !== 'object' || source === null) return source
  const { kind, base } = source as { kind?: unknown; base?: unknown }
  return kind === 'fhir-bulk' && base === undefined && 'folder' in source
    ? { ...source, kind: 'fhir-folder' }
    : source
}
