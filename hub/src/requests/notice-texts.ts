import type { NoticeTextDeclared } from '@kakehashi/protocol/messages'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { OpsTx } from '../vault/ops.ts'

/**
 * The words of a notice, if they are those of their hash. A published text never changes: the first one stays. Whether
 * the Japanese one is the declared template's is asked each time it is used, whichever of both came first.
 */
export async function keepNoticeText(
  tx: OpsTx,
  { facility, track, templateVersion, language, hash, text }: NoticeTextDeclared,
): Promise<void> {
  if (sha256Hex(text) !== hash) return
  await tx
    .insertInto('notice_text')
    .values({ facility, track, version: templateVersion, language, hash, text })
    .onConflict((c) => c.doNothing())
    .execute()
}
