import type { Decision } from '@kakehashi/protocol/rules/decide'
import { Enacted } from './enact.ts'
import { oracle, type Verdict } from './oracle.ts'
import type { Question, Story } from './story.ts'
import { tell } from './tell.ts'

export interface Difference {
  seed: number
  question: Question
  law: Verdict
  gate: Decision
  kind: 'left early' | 'left after a stop' | 'kept back needlessly'
}

export interface Tally {
  histories: number
  questions: number
  allowed: number
  /** How often each thing happened in a story, and each answer of the gate. */
  sometimes: Map<string, number>
  differences: Difference[]
}

export const emptyTally = (): Tally => ({
  histories: 0,
  questions: 0,
  allowed: 0,
  sometimes: new Map(),
  differences: [],
})

const DIFFERENCES_MAX = 20

/** Answers of the gate under test; a planted fault puts another one in its place. */
export type Ask = (enacted: Enacted, question: Question, story: Story) => Decision

export const gate: Ask = (enacted, question) => enacted.ask(question)

export function compare(seed: number, tally: Tally, ask: Ask = gate): void {
  const story = tell(seed)
  const enacted = new Enacted(story)
  tally.histories += 1
  for (const { t } of story.steps) add(tally, t)
  for (const question of story.questions) {
    const answer = ask(enacted, question, story)
    const law = oracle(story, question)
    tally.questions += 1
    if (answer.allow) tally.allowed += 1
    add(tally, answer.allow ? 'ALLOW' : answer.code)
    if (answer.allow === (law === 'may')) continue
    const kind = !answer.allow
      ? 'kept back needlessly'
      : law === 'stopped'
        ? 'left after a stop'
        : 'left early'
    add(tally, kind)
    if (tally.differences.length < DIFFERENCES_MAX)
      tally.differences.push({ seed, question, law, gate: answer, kind })
  }
}

function add(tally: Tally, name: string): void {
  tally.sometimes.set(name, (tally.sometimes.get(name) ?? 0) + 1)
}

export function merge(into: Tally, other: Tally): void {
  into.histories += other.histories
  into.questions += other.questions
  into.allowed += other.allowed
  for (const [name, n] of other.sometimes) into.sometimes.set(name, (into.sometimes.get(name) ?? 0) + n)
  for (const one of other.differences)
    if (into.differences.length < DIFFERENCES_MAX) into.differences.push(one)
}
