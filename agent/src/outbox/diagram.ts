import { LEG_MOVES, LEGS } from './store.ts'

/** The legs of a batch as a Mermaid diagram, out of the table that the program obeys. */
export function legDiagram(): string {
  const lines = LEGS.flatMap((from) => LEG_MOVES[from].map((to) => `  ${from} --> ${to}`))
  return ['stateDiagram-v2', '  [*] --> queued', ...lines, '  done --> [*]'].join('\n')
}
