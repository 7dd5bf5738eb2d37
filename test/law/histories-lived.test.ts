import { expect, test } from 'vitest'
import { Live } from './histories/live.ts'
import { oracle } from './histories/oracle.ts'
import { tell } from './histories/tell.ts'

/** The random histories once more, through the register's own verbs and its store. */
const HISTORIES = 150

test('S1 S2 random histories lived by the verbs: the gate over the store answers as the law', async () => {
  const differences: unknown[] = []
  let [allowed, asked, refused] = [0, 0, 0]
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const story = tell(seed)
    for (const step of story.steps) if (step.t === 'hand') step.raw = false
    const live = await Live.begin(story)
    for (const [index, step] of story.steps.entries()) {
      await live.step(step)
      for (const question of story.questions.filter((q) => q.after === index + 1)) {
        const answer = await live.ask(question)
        const law = oracle({ ...story, steps: live.entered }, question)
        asked += 1
        if (answer.allow) allowed += 1
        if (answer.allow !== (law === 'may')) differences.push({ seed, question, law, answer })
      }
    }
    refused += live.refused
    await live.close()
  }
  expect(differences).toEqual([])
  expect(asked).toBe(HISTORIES * 6)
  expect(allowed).toBeGreaterThan(asked / 20)
  expect(refused).toBeGreaterThan(0)
}, 60_000)
