import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishLog } from '@kakehashi/store/audit-log'
import { expect, test } from 'vitest'
import { hospital } from '../counter/world.fixture.ts'
import { restoredOf } from '../register/restored-state.ts'
import { auditOrigin } from './checkpoint.ts'
import { noticeRollback } from './rollback.ts'

test('T6 an older copy of the store put in place by hand is noticed by the published log, and shuts the gate', async () => {
  const root = mkdtempSync(join(tmpdir(), 'kakehashi-rollback-'))
  const dir = join(root, 'audit')
  try {
    const { context } = await hospital()
    expect(await noticeRollback(context, dir)).toBe(false)
    const { store, keys } = context
    await publishLog(store, dir, auditOrigin(context), keys.signing)
    expect(await noticeRollback(context, dir)).toBe(false)
    await store.transact({ act: 'stop.recorded', actor: 'desk' }, async () => {})
    await publishLog(store, dir, auditOrigin(context), keys.signing)
    // the copy of before the stop: one leaf less
    await store.db
      .deleteFrom('audit_leaf')
      .where('seq', '=', (q) => q.selectFrom('audit_leaf').select((e) => e.fn.max('seq').as('seq')))
      .execute()
    expect(await noticeRollback(context, dir)).toBe(true)
    expect((await restoredOf(store.db))?.openedAt).toBeNull()
    expect(existsSync(dir)).toBe(false)
    expect(readdirSync(root).some((name) => name.startsWith('audit.lost.'))).toBe(true)
    await publishLog(store, dir, auditOrigin(context), keys.signing)
    expect(await noticeRollback(context, dir)).toBe(false)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
