import { expect, test } from 'vitest'
import { itemClassOf } from './item-class.ts'
import { ITEM_CLASSES } from './state.ts'

test.each([
  ['Patient', [], 'identity'],
  ['Coverage', [], 'insurance'],
  ['Encounter', [], 'encounter'],
  ['Condition', [], 'diagnosis'],
  ['Observation', ['laboratory'], 'laboratory'],
  ['Observation', ['vital-signs'], 'observation'],
  ['Observation', [], 'observation'],
  ['DiagnosticReport', ['LAB'], 'laboratory'],
  ['DiagnosticReport', ['RAD'], 'document'],
  ['MedicationRequest', [], 'medication'],
  ['Procedure', [], 'procedure'],
  ['ImagingStudy', [], 'image'],
  ['Binary', [], 'document'],
  ['CarePlan', [], 'care'],
  ['SomethingNew', ['laboratory'], 'other'],
  ['constructor', [], 'other'],
] as const)('%s %j is %s', (type, categories, item) => {
  expect(itemClassOf(type, categories)).toBe(item)
  expect(ITEM_CLASSES).toContain(item)
})
