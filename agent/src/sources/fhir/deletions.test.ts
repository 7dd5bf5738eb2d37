import { expect, test } from 'vitest'
import { deletionsIn } from './deletions.ts'

const bases = ['https://ehr.example/fhir/']
const of = (...entry: unknown[]) =>
  deletionsIn(
    { resourceType: 'Bundle', meta: { lastUpdated: '2026-04-02T00:00:00Z' }, entry },
    'ehr',
    bases,
  ).map(({ key, at, reason }) => [key.type, key.id, at, reason])

test('DATA T14 a deletion names its id in request.url or fullUrl, and its own time before the Bundle’s', () => {
  const lastModified = '2026-04-01T09:00:00+09:00'
  expect(
    of(
      { request: { method: 'DELETE', url: 'Observation/a' }, response: { status: '204', lastModified } },
      { request: { method: 'DELETE', url: 'Observation/b/_history/7' } },
      { request: { method: 'DELETE' }, fullUrl: 'https://ehr.example/fhir/Condition/c' },
      { request: { method: 'GET', url: 'Patient/d/_history/3' }, response: { status: '410 Gone' } },
    ),
  ).toEqual([
    ['Observation', 'a', lastModified, 'deleted'],
    ['Observation', 'b', '2026-04-02T00:00:00Z', 'deleted'],
    ['Condition', 'c', '2026-04-02T00:00:00Z', 'deleted'],
    ['Patient', 'd', '2026-04-02T00:00:00Z', 'deleted'],
  ])
})

test('DATA T14 what is no deletion, or of another server, deletes nothing', () => {
  const resource = { resourceType: 'Patient', id: 'x' }
  expect(
    of(
      { request: { method: 'PUT', url: 'Observation/a' }, resource },
      { request: { method: 'GET', url: 'Patient/x' }, resource, response: { status: '200' } },
      { request: { method: 'DELETE', url: 'https://evil.example/fhir/Observation/a' } },
      { request: { method: 'DELETE', url: 'Observation?status=entered-in-error' } },
      null,
      {},
    ),
  ).toEqual([])
  expect(deletionsIn(null, 'ehr', bases)).toEqual([])
})
