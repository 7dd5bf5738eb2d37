import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { RECORD_BYTES_MAX } from '@kakehashi/protocol/limits'
import { Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import { entryTexts } from './bundle.ts'
import { type ParsedResource, readJson, type ResourceScope, understand } from './resource.ts'

/** What one JSON text holds: a resource, or every resource of a Bundle. */
export type Reading =
  | { t: 'parsed'; parsed: ParsedResource }
  /** `entry`: which one of a Bundle, from 1; `hash` of the text that could not be read. */
  | { t: 'refused'; code: RefusalCode; entry: number | null; hash: string }

/** Reads one NDJSON line, one file or one answer. Never throws for what it reads. */
export function readUnit(bytes: Uint8Array, scope: ResourceScope): Reading[] {
  try {
    if (!isUtf8(bytes)) throw new Refused('NOT_UTF8')
    const text = textOf(bytes)
    const value = readJson(text)
    if (!isBundle(value)) {
      if (bytes.length > RECORD_BYTES_MAX) throw new Refused('LINE_TOO_LONG')
      return [{ t: 'parsed', parsed: understand(value, bytes, scope) }]
    }
    return entriesOf(value, text, scope)
  } catch (error) {
    return [refused(error, bytes, null)]
  }
}

function entriesOf(value: Bundle, text: string, scope: ResourceScope): Reading[] {
  const entries = Array.isArray(value.entry) ? value.entry : []
  const inBundle = { ...scope, fullUrls: fullUrlsOf(entries) }
  return entryTexts(text).flatMap((resourceText, n): Reading[] => {
    const entry = entries[n]
    if (resourceText === null || entry?.search?.mode === 'outcome') return []
    const bytes = Buffer.from(resourceText, 'utf8')
    try {
      if (bytes.length > RECORD_BYTES_MAX) throw new Refused('LINE_TOO_LONG')
      return [{ t: 'parsed', parsed: understand(entry?.resource, bytes, inBundle) }]
    } catch (error) {
      return [refused(error, bytes, n + 1)]
    }
  })
}

interface Bundle {
  resourceType: 'Bundle'
  entry?: ({ fullUrl?: unknown; resource?: unknown; search?: { mode?: unknown } } | null)[]
}

export function isBundle(value: unknown): value is Bundle {
  return typeof value === 'object' && value !== null && (value as Partial<Bundle>).resourceType === 'Bundle'
}

function fullUrlsOf(entries: NonNullable<Bundle['entry']>): Map<string, string> {
  const urls = new Map<string, string>()
  for (const entry of entries) {
    const { resourceType, id } = (entry?.resource ?? {}) as { resourceType?: unknown; id?: unknown }
    if (typeof entry?.fullUrl === 'string' && typeof resourceType === 'string' && typeof id === 'string')
      urls.set(entry.fullUrl, `${resourceType}/${id}`)
  }
  return urls
}

function refused(error: unknown, bytes: Uint8Array, entry: number | null): Reading {
  if (!(error instanceof Refused)) throw error
  return { t: 'refused', code: error.refusal.code, entry, hash: hash('sha256', bytes, 'hex') }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
