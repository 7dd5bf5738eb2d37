import { Refused } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import { nextUrl } from './links.ts'

const base = 'https://ehr.example/fhir/R4/'
const asked = 'https://ehr.example/fhir/R4/Observation?_count=10'
const next = (link: string, to = base, from = asked) => nextUrl(link, from, to)

test('DATA T8 next links as servers and proxies write them', () => {
  expect(next('https://ehr.example/fhir/R4?_getpages=1')).toBe('https://ehr.example/fhir/R4?_getpages=1')
  expect(next('https://ehr.example:443/fhir/R4/x?p=2')).toBe('https://ehr.example/fhir/R4/x?p=2')
  expect(next('?_count=10&p=2')).toBe('https://ehr.example/fhir/R4/Observation?_count=10&p=2')
  expect(next('Observation?p=2')).toBe('https://ehr.example/fhir/R4/Observation?p=2')
  expect(next('/fhir/R4/Observation?p=2')).toBe('https://ehr.example/fhir/R4/Observation?p=2')
  expect(next('/Observation?p=2')).toBe('https://ehr.example/fhir/R4/Observation?p=2')
  expect(next('ehr.example/fhir/R4/Observation?p=2')).toBe('https://ehr.example/fhir/R4/Observation?p=2')
  expect(next('https://ehr.example:443:443/fhir/R4/x?p=2')).toBe('https://ehr.example/fhir/R4/x?p=2')
  expect(next('http://ehr.example/fhir/R4/x?p=2')).toBe('https://ehr.example/fhir/R4/x?p=2')
  expect(next('http://ehr.example:80/fhir/R4/x?p=2')).toBe('https://ehr.example/fhir/R4/x?p=2')
})

test('DATA T8 a next link to any other origin is refused: the token goes nowhere else', () => {
  for (const link of [
    'https://evil.example/fhir/R4/x',
    '//evil.example/x',
    'https://ehr.example@evil.example/x',
    'https://ehr.example:8443/fhir/R4/x',
    'https://ehr.example.evil.example/x',
    'evil.example/fhir/R4/x',
    'javascript:alert(1)',
    'https://[/',
  ]) {
    let to: string | null = null
    try {
      to = next(link)
    } catch (error) {
      expect(error).toBeInstanceOf(Refused)
    }
    if (to !== null) expect(new URL(to).host).toBe('ehr.example')
  }
  expect(() => next('https://evil.example/x')).toThrow(Refused)
  expect(next('https://user:pass@ehr.example/fhir/R4/x')).toBe('https://ehr.example/fhir/R4/x')
})
