import { Personal, type PatientKey } from '@kakehashi/protocol/ids'
import type { SourceConnector } from '../sources/connector.ts'

/** Read afresh from the hospital's own system for one letter, and kept nowhere. */
export interface Address {
  postalCode: Personal
  lines: readonly Personal[]
  name: Personal
}

const LINES_MAX = 4

/** Where letters to this person go, as their chart says now; `null` when no source says. */
export async function addressOf(
  connectors: readonly SourceConnector[],
  patient: PatientKey,
  signal: AbortSignal,
): Promise<Address | null> {
  for (const connector of connectors)
    for await (const event of connector.fetchPatient(patient, signal)) {
      if (event.t !== 'record' || event.record.item !== 'identity') continue
      const resource = jsonOf(event.record.payload)
      const found = isPatient(resource) ? addressIn(resource) : null
      if (found) return found
    }
  return null
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return null
  }
}

function isPatient(resource: unknown): boolean {
  return (resource as { resourceType?: unknown } | null)?.resourceType === 'Patient'
}

/** Out of a `Patient` resource, as any hospital writes one. Expects nothing. */
export function addressIn(resource: unknown): Address | null {
  const patient = (typeof resource === 'object' && resource !== null ? resource : {}) as Record<
    string,
    unknown
  >
  const current = listOf(patient['address']).filter((one) => one['use'] !== 'old')
  const address = current.find((one) => one['use'] === 'home') ?? current[0]
  const name = nameOf(listOf(patient['name']))
  if (!address || name === '') return null
  const text = textOf(address['text'])
  const parts = [
    `${textOf(address['state'])}${textOf(address['city'])}`,
    ...(Array.isArray(address['line']) ? address['line'].map(textOf) : []),
  ].filter((line) => line !== '')
  const lines = parts.length > 0 ? parts : text === '' ? [] : [text]
  if (lines.length === 0) return null
  return {
    postalCode: new Personal(textOf(address['postalCode'])),
    lines: lines.slice(0, LINES_MAX).map((line) => new Personal(line)),
    name: new Personal(name),
  }
}

function nameOf(names: Record<string, unknown>[]): string {
  const current = names.filter((one) => one['use'] !== 'old')
  const written =
    current.find((one) => JSON.stringify(one['extension'] ?? '').includes('"IDE"')) ?? current[0]
  if (!written) return ''
  const given = Array.isArray(written['given']) ? written['given'].map(textOf) : []
  const parts = [textOf(written['family']), ...given].filter((part) => part !== '')
  return parts.length > 0 ? parts.join(' ') : textOf(written['text'])
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, 80) : ''
}
