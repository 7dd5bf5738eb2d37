import { built, operatorRoom, PASSPHRASE } from '@kakehashi/hub/console/world.fixture'
import { openTicket, type TicketAsk } from '@kakehashi/hub/requests/tickets'
import { afterAll, expect, test } from 'vitest'
import { closeBrowser, follow, go, look, LOOK_MS_MAX, press, unseen } from './gallery.ts'
import { pick, tabTo, toFirstError, write } from './keyboard.ts'
import { printed, takeSeat } from './seat.ts'

afterAll(closeBrowser)

/** What was asked at the portal beyond its budget. */
const QUEUED: TicketAsk = {
  ticket: 'queued:r-1',
  kind: 'stop',
  channel: 'web',
  stop: null,
  by: 'portal',
  name: '',
  contact: '',
  text: '受付番号 ABCDE-FGHJK。通知書なしの停止の求めが、1時間の上限を超えて届きました。',
  asked: {
    version: 2,
    facility: 'midori-hospital',
    number: '00012345',
    birthDate: '1948-05-03',
    queued: true,
    requester: 'family',
    erasureAsked: false,
    askedAt: Date.parse('2026-11-25T09:00:00+09:00'),
    receipt: 'ABCDE-FGHJK',
  },
}

async function room(account: string) {
  const { app, parts, release, codeOf, ops } = await operatorRoom()
  const seat = await takeSeat(app)
  const { page, at } = seat
  const signIn = async (passphrase: string) => {
    await write(page, '#account', account)
    await write(page, '#passphrase', passphrase)
    await write(page, '#code', codeOf(account))
    await go(page, () => page.keyboard.press('Enter'))
  }
  return {
    ...seat,
    path: `${at.url}/releases/${release}`,
    build: () => built(parts, release),
    signIn,
    ops,
    parts,
    code: () => codeOf(account),
  }
}

test.skipIf(unseen)(
  'console: a reviewer signs in, reads the risk report and votes',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, path, build, signIn, code, leave } = await room('one')
    await look(page, 'console-1-sign-in')
    await signIn('wrong')
    await look(page, 'console-1-sign-in-error')
    await toFirstError(page)
    await signIn(PASSPHRASE)
    await look(page, 'console-2-home')
    await page.goto(`${at.url}/releases`)
    await look(page, 'console-3-releases')
    await page.goto(path)
    await look(page, 'console-4-release')
    await press(page, 'main form button')
    await look(page, 'console-4-release-error')
    await toFirstError(page)
    await pick(page, 'conflict', 'no')
    await pick(page, 'answer', 'approve')
    await write(page, '#passphrase', PASSPHRASE)
    await write(page, '#code', code())
    await press(page, 'main form button')
    await look(page, 'console-5-voted')
    await build()
    await page.goto(path)
    await look(page, 'console-5-risk-report')
    expect(await printed(page, 'console-5-risk-report-print')).toBeGreaterThan(0)
    await page.goto(`${at.url}/erasures`)
    await look(page, 'console-6-not-allowed')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'console: the privacy officer sees erasures, certificate, linkage and agents',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, signIn, leave } = await room('privacy')
    await signIn(PASSPHRASE)
    for (const [path, name] of [
      ['/', '2-home-privacy'],
      ['/erasures', '7-erasures'],
      ['/erasures/e-0', '8-certificate'],
      ['/linkage', '9-linkage'],
      ['/agents', '10-agents'],
    ] as const) {
      await page.goto(`${at.url}${path}`)
      await look(page, `console-${name}`)
    }
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'console: the desk takes a stop by phone, by keyboard only, verifies it, prints the slip and keeps a question',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, signIn, code, leave, parts } = await room('desk')
    const choose = async (label: string) => {
      await tabTo(page, label)
      await page.keyboard.press('Space')
    }
    const enter = async (label: string, text: string) => {
      await tabTo(page, label)
      await page.keyboard.type(text)
    }
    /** The first of its radios has the focus; arrows go on from there. */
    const select = async (first: string, steps: number) => {
      await choose(first)
      for (let step = 0; step < steps; step++) await page.keyboard.press('ArrowDown')
    }
    await signIn(PASSPHRASE)
    await look(page, 'console-11-home-desk')
    await page.goto(`${at.url}/stops/new`)
    await look(page, 'console-12-stop-new')
    await follow(page, '停止する')
    await look(page, 'console-12-stop-new-error')
    await toFirstError(page)
    await select('電話', 0)
    await select('本人', 0)
    await enter('求めた方の氏名', '山田 太郎')
    await enter('氏名（カナ）', 'ヤマダ タロウ')
    await enter('生年月日', 'S23.5.3')
    await enter('書面の届け先', '横浜市の娘の家')
    await select('まだ（仮の停止になります）', 0)
    await follow(page, '停止する')
    await look(page, 'console-13-stop')
    await select('登録の電話', 0)
    await enter('合言葉（もう一度）', PASSPHRASE)
    await enter('認証アプリ', code())
    await go(page, () => page.keyboard.press('Enter'))
    expect(await page.textContent('main')).toContain('本人の確認を記録しました')
    await look(page, 'console-14-stop-verified')
    await follow(page, '受付票を見る')
    await look(page, 'console-15-slip')
    expect(await printed(page, 'console-15-slip-print')).toBe(1)
    await page.goto(`${at.url}/stops`)
    await look(page, 'console-16-stops')
    await page.goto(`${at.url}/tickets/new`)
    await look(page, 'console-17-ticket-new')
    await select('質問', 0)
    await select('電話', 0)
    await enter('内容', 'いつから止まりますか')
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'console-18-ticket')
    await page.goto(`${at.url}/tickets`)
    await look(page, 'console-19-tickets')
    await openTicket(parts, parts.identity, QUEUED)
    await page.goto(`${at.url}/tickets/${QUEUED.ticket}`)
    await look(page, 'console-20-ticket-stop')
    await follow(page, 'この内容で停止する')
    expect(await page.textContent('main')).toContain('停止として受け付けました')
    await look(page, 'console-21-ticket-stopped')
    await page.goto(`${at.url}/tickets/${QUEUED.ticket}`)
    await look(page, 'console-22-ticket-answered')
    expect(await leave()).toEqual([])
  },
)
