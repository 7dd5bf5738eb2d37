import { Refused } from '@kakehashi/protocol/refusals'
import { takeBack, type ImportParts } from './hand-over.ts'
import { entriesOfRun } from './store.ts'

const PAGE = 200

/**
 * Takes one import back: every notice it recorded or confirmed is voided, as a new event each; what was sent on one is
 * reported to the vault by the register. Cut short, it goes on where it stopped.
 */
export async function undoImport(
  parts: ImportParts,
  asked: { run: string; by: string },
): Promise<{ voided: number }> {
  const { context } = parts
  const { db } = context.store
  const row = await db.selectFrom('import_run').selectAll().where('run', '=', asked.run).executeTakeFirst()
  if (!row) throw new Refused('NOT_FOUND', '取り込み')
  let voided = 0
  for (;;) {
    const entries = await entriesOfRun(db, asked.run, PAGE)
    if (entries.length === 0) break
    for (const entry of entries) {
      const done = await takeBack(parts, entry, asked.by, {
        reason: 'other',
        state: 'undone',
        sparing: false,
      })
      voided += done.voided
    }
  }
  if (row.undone_at !== null) return { voided }
  await context.store.transact(
    { act: 'import.undone', actor: asked.by, detail: { run: asked.run, voided } },
    async (tx) => {
      await tx
        .updateTable('import_run')
        .set({ undone_at: context.env.now(), undone_by: asked.by })
        .where('run', '=', asked.run)
        .execute()
    },
  )
  return { voided }
}
