import { expect, test } from 'vitest'
import { Heap } from './heap.ts'
import { Prng } from './prng.ts'

test('the heap gives back what it was given, in order', () => {
  const random = new Prng('heap')
  const heap = new Heap<number>((a, b) => a - b)
  const given = Array.from({ length: 500 }, () => random.below(1_000_000))
  for (const n of given) heap.push(n)
  const back = given.map(() => heap.pop())
  expect(back).toEqual(given.toSorted((a, b) => a - b))
  expect(heap.pop()).toBeUndefined()
})

test('a fork draws the same whatever its parent drew', () => {
  const parent = new Prng('seed/1')
  const before = parent.fork('net').uint32()
  parent.uint32()
  expect(parent.fork('net').uint32()).toBe(before)
  expect(parent.fork('disk').uint32()).not.toBe(before)
})
