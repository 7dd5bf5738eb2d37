import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { legDiagram } from './diagram.ts'
import { LEG_MOVES, LEGS, OPEN_LEGS } from './store.ts'

test('every leg has its moves, every move is to a leg, and every open leg can come to an end', () => {
  expect(Object.keys(LEG_MOVES).toSorted()).toEqual([...LEGS].toSorted())
  for (const moves of Object.values(LEG_MOVES)) for (const to of moves) expect(LEGS).toContain(to)
  for (const from of OPEN_LEGS) {
    const reached = new Set<string>([from])
    for (const leg of reached) for (const to of LEG_MOVES[leg as (typeof LEGS)[number]]) reached.add(to)
    expect(reached).toContain('done')
  }
})

test('what may have reached the gateway is never taken for something that never left', () => {
  expect(LEG_MOVES['in-flight']).not.toContain('claimed')
  expect(LEG_MOVES['at-gateway']).not.toContain('dropped')
  expect(LEG_MOVES.done).toEqual([])
})

test('the diagram in the document is the table the program obeys', () => {
  const text = readFileSync(join(import.meta.dirname, 'OUTBOX.md'), 'utf8')
  expect(text).toContain(`\`\`\`mermaid\n${legDiagram()}\n\`\`\``)
})
