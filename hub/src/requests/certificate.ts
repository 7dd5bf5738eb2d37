import { canonicalBytes } from '@kakehashi/protocol/canonical'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import { leafHash, verifyInclusion } from '@kakehashi/protocol/merkle'
import { fromBase64, sha256Hex, signBytes, toBase64, verifyBytes } from '@kakehashi/protocol/signing'
import { checkpointOf, inclusionOf } from '@kakehashi/store/audit-log'
import { z } from 'zod'
import { auditOrigin } from '../audit/origin.ts'
import type { VaultParts } from '../vault/parts.ts'

const text = z.string().max(200)
const Core = z.strictObject({
  version: z.literal(1),
  erasure: text,
  operator: text,
  /** Keyed hashes of the charts; the operator can tell which, nobody else. */
  charts: z.array(z.string().length(64)),
  askedAt: z.number().int(),
  doneAt: z.number().int(),
  places: z.array(z.strictObject({ place: text, count: z.number().int() })),
  keysDestroyed: z.array(text),
})
export type CertificateCore = z.infer<typeof Core>

const Certificate = z.strictObject({
  core: Core,
  /** The audit leaf that tells of this erasure, base64. */
  leaf: z.string(),
  index: z.number().int(),
  checkpoint: z.string(),
  inclusion: z.array(z.string()),
  /** Ed25519 by the audit key over the core, base64. */
  signature: z.string(),
})
export type ErasureCertificate = z.infer<typeof Certificate>

const DOMAIN = 'erasure-certificate/1'

export async function certify(parts: VaultParts, core: CertificateCore): Promise<ErasureCertificate> {
  const { index, leaf } = await leafOf(parts, core.erasure)
  const checkpoint = await checkpointOf(parts.ops, auditOrigin(parts.operator.operator), parts.keys.audit)
  const size = Number(checkpoint.split('\n')[1])
  const inclusion = await inclusionOf(parts.ops, index, size)
  return {
    core,
    leaf: toBase64(leaf),
    index,
    checkpoint,
    inclusion: inclusion.map((hash) => toBase64(hash)),
    signature: toBase64(signBytes(DOMAIN, canonicalBytes(core), parts.keys.audit)),
  }
}

async function leafOf(parts: VaultParts, erasure: string): Promise<{ index: number; leaf: Uint8Array }> {
  let before = Number.MAX_SAFE_INTEGER
  for (;;) {
    const rows = await parts.ops.db
      .selectFrom('audit_leaf')
      .select(['seq', 'leaf'])
      .where('seq', '<', before)
      .orderBy('seq', 'desc')
      .limit(200)
      .execute()
    if (rows.length === 0) throw new Error('the erasure has no audit leaf')
    for (const row of rows)
      if (tellsOf(row.leaf)?.erasure === erasure) return { index: Number(row.seq), leaf: row.leaf }
    before = Number(rows.at(-1)?.seq ?? 0)
  }
}

function tellsOf(leaf: Uint8Array): { erasure: unknown; certificate: unknown } | null {
  try {
    const { act, detail } = JSON.parse(new TextDecoder().decode(leaf))
    return act === 'erasure.done' ? { erasure: detail.erasure, certificate: detail.certificate } : null
  } catch {
    return null
  }
}

export type CertificateFault = 'form' | 'signature' | 'leaf' | 'checkpoint' | 'inclusion'

/** Checks a certificate with nothing but the file and the operator's public audit key. */
export function verifyCertificate(
  value: unknown,
  auditPublic: Uint8Array,
): CertificateCore | CertificateFault {
  const read = Certificate.safeParse(value)
  if (!read.success) return 'form'
  const { core, leaf, index, checkpoint, inclusion, signature } = read.data
  const bytes = canonicalBytes(core)
  if (!verifyBytes(DOMAIN, bytes, fromBase64(signature), auditPublic)) return 'signature'
  const leafBytes = fromBase64(leaf)
  const told = tellsOf(leafBytes)
  if (told?.erasure !== core.erasure || told.certificate !== sha256Hex(bytes)) return 'leaf'
  const head = verifyCheckpoint(checkpoint, auditOrigin(core.operator), auditPublic)
  if (!head) return 'checkpoint'
  const path = inclusion.map((hash) => fromBase64(hash))
  return verifyInclusion(leafHash(leafBytes), index, head.size, path, head.root) ? core : 'inclusion'
}
