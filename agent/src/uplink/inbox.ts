import { openSignedControl, unknownControl } from '@kakehashi/protocol/control'
import { messageId } from '@kakehashi/protocol/ids'
import type { ControlEnvelope, DownControl, Receipt } from '@kakehashi/protocol/messages'
import { fromBase64 } from '@kakehashi/protocol/signing'
import type { AgentContext } from '../context.ts'
import { keepReceipt } from '../evidence/store.ts'
import { noticeForgotten, takeRecordList } from '../outbox/told-records.ts'
import { applyReceipt } from '../outbox/receipt.ts'
import { batchOf } from '../outbox/store.ts'
import type { AgentTx } from '../store/store.ts'
import { declareAgain } from '../register/fact.ts'
import { enterRestored, takeStopList } from '../register/restored.ts'
import { applyErasure } from './erasure.ts'
import { applyOrderedStop } from './ordered-stop.ts'
import { keepVaultKey, markApplied, markTaken, wasApplied } from './store.ts'
import { forgetSent, markAllToRead } from '../sources/store.ts'
import { keepOperatorStatus, seeTime } from '../register/store.ts'
import { keepCheckpoint } from './witness.ts'

/**
 * Opens, verifies and applies one message of the vault: in one transaction with its mark "applied", so that it takes
 * effect once, however often it is delivered. A message that cannot be opened is noted, never acknowledged.
 */
export async function applyControl(context: AgentContext, envelope: ControlEnvelope): Promise<void> {
  const vault = fromBase64(context.hub.vaultSigningKey)
  const signed =
    envelope.direction === 'down' && envelope.agent === context.keys.agent
      ? openSignedControl(envelope, context.keys.inbox, vault)
      : null
  if (!signed) {
    const message = messageId(envelope.message)
    if (unknownControl(envelope, context.keys.inbox, vault) !== null) {
      // of a newer hub, which needs no more than to know that it came
      context.log('control.unknown')
      await context.store.bookkeep((tx) => markApplied(tx, message, 'unknown', context.env.now()))
      return
    }
    context.log('control.unreadable')
    await context.store.bookkeep(async (tx) => {
      if (!(await wasApplied(tx, message))) await markApplied(tx, message, 'unreadable', context.env.now())
    })
    return
  }
  const control = signed.body as DownControl
  await context.store.transact(
    (fresh: boolean) =>
      fresh
        ? { act: 'control.applied', actor: 'vault', detail: { type: control.type, message: control.message } }
        : null,
    async (tx) => {
      const known = await wasApplied(tx, control.message)
      await seeTime(tx, context.env.now())
      await markApplied(tx, control.message, control.type, context.env.now())
      if (!known) await dispatch(tx, context, control)
      if (!known && control.type === 'receipt')
        await keepReceipt(tx, { batch: control.batch, sealedTo: envelope.sealedTo, signed })
      return !known
    },
  )
}

async function dispatch(tx: AgentTx, context: AgentContext, control: DownControl): Promise<void> {
  switch (control.type) {
    case 'receipt':
      return takeReceipt(tx, context, control)
    case 'reports-taken':
      return markTaken(tx, control.messages)
    case 'stop-list':
      return takeStopList(tx, context, control)
    case 'record-list':
      return takeRecordList(tx, context, control)
    case 'vault-restored':
      return enterRestored(tx, context)
    case 'declaration-known':
      return declareAgain(tx, context, control)
    case 'stop-ordered':
      return applyOrderedStop(tx, context, control)
    case 'erasure-done':
      return applyErasure(tx, context, control)
    case 'operator-status':
      return keepOperatorStatus(tx, control)
    case 'key-changed':
      return keepVaultKey(tx, control.vaultKey, control.from)
    case 'checkpoint-shown':
      return keepCheckpoint(tx, context, control.checkpoint)
    case 'resend-asked':
      await forgetSent(tx, control.patients)
      return markAllToRead(tx, control.patients, context.env.now())
  }
}

async function takeReceipt(tx: AgentTx, context: AgentContext, receipt: Receipt): Promise<void> {
  const batch = await batchOf(tx, receipt.batch)
  const forgotten = batch === null || batch.leg === 'dropped'
  if (!(await applyReceipt(tx, context, receipt)))
    context.log('receipt.without-batch', { batch: receipt.batch })
  if (forgotten && receipt.accepted > 0) await noticeForgotten(tx, context)
}
