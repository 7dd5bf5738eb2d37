import { sha256Hex } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { FACILITY } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'
import { noticeNaming } from './notice.fixture.ts'

const opened: BothEnds[] = []
afterEach(async () => {
  for (const both of opened.splice(0)) await both.close()
})

async function bothEnds(): Promise<BothEnds> {
  const both = await BothEnds.open()
  opened.push(both)
  return both
}

async function shown(both: BothEnds, language: 'ja' | 'ko') {
  both.hub.env.pass(11 * 60_000)
  await both.talk()
  return (await both.hub.portal.noticeOf(FACILITY, language))?.words[0]
}

test('R1 from the hospital’s register to the portal: the very words of the notice, and of each translation', async () => {
  const both = await bothEnds()
  const words = await shown(both, 'ja')
  expect(words?.language).toBe('ja')
  const [filed] = await both.hub.ops.db.selectFrom('notice_text').select('hash').execute()
  expect(sha256Hex(words?.text ?? '')).toBe(filed?.hash)
  expect(await shown(both, 'ko')).toEqual(words)
  const text = '의료 정보 제공 안내\n\n1. 제공하는 자\n미도리 병원'
  await both.agent.register.translateNotice({
    ...{ track: 'ANON', version: 1, language: 'ko', text, by: 'privacy' },
  })
  expect(await shown(both, 'ko')).toEqual({ track: 'ANON', language: 'ko', text })
})

test('R1 words kept before this version are declared with the next fact of the facility', async () => {
  const both = await bothEnds()
  await both.store.bookkeep((tx) =>
    tx
      .deleteFrom('control_out' as never)
      .where('type' as never, '=', 'notice-text-declared' as never)
      .execute(),
  )
  await both.hub.ops.bookkeep((tx) => tx.deleteFrom('notice_text').execute())
  expect(await shown(both, 'ja')).toBeUndefined()
  await both.agent.register.setFacility({ waitDays: 31, by: 'privacy' } as never)
  expect((await shown(both, 'ja'))?.language).toBe('ja')
})

test('R1 a notice longer than a message carries is refused before it is published', async () => {
  const both = await bothEnds()
  const content = noticeNaming(both.agent.context.hub.operator, { remarks: 'あ'.repeat(32_000) })
  await expect(both.agent.register.publishNotice({ content, by: 'privacy' })).rejects.toThrow(
    'REQUEST_MALFORMED',
  )
})
