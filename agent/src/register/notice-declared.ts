import type { FacilityEvent, TemplatePublished, TemplateTranslated } from '@kakehashi/protocol/events'
import { NOTICE_TEXT_MAX } from '@kakehashi/protocol/limits'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl, type UpDraft } from '../uplink/store.ts'
import { facilityEvents } from './read.ts'

type Words = Omit<TemplatePublished, keyof Head> | Omit<TemplateTranslated, keyof Head>
type Head = Pick<FacilityEvent, 'event' | 'recordedAt' | 'by'>
type Other = { type: Exclude<FacilityEvent['type'], Words['type']> }

function draftOf(context: AgentContext, said: Words): Extract<UpDraft, { type: 'notice-text-declared' }>[] {
  // published before its words were kept, or longer than a message carries
  if (said.text === undefined || said.text.length > NOTICE_TEXT_MAX) return []
  const about =
    said.type === 'template-published'
      ? { track: said.template.track, templateVersion: said.template.version, language: 'ja' as const }
      : { track: said.track, templateVersion: said.templateVersion, language: said.language }
  const { text } = said
  return [{ type: 'notice-text-declared', facility: context.facility, ...about, hash: sha256Hex(text), text }]
}

async function declareWords(tx: AgentTx, context: AgentContext, said: Words): Promise<void> {
  for (const draft of draftOf(context, said)) await enqueueControl(tx, context, draft)
}

/** The words of everything published, for the pages of the hub: to a vault that has none of them, or lost them. */
export async function declareAllWords(tx: AgentTx, context: AgentContext): Promise<void> {
  for (const event of await facilityEvents(tx, ['template-published', 'template-translated']))
    if (event.type === 'template-published' || event.type === 'template-translated')
      await declareWords(tx, context, event)
}

/** Those of what was just published; of everything, when none was ever said: before this version nobody did. */
export async function declareNewWords(
  tx: AgentTx,
  context: AgentContext,
  fact?: Words | Other,
): Promise<void> {
  const said = await tx
    .selectFrom('control_out')
    .select('message')
    .where('type', '=', 'notice-text-declared')
    .limit(1)
    .executeTakeFirst()
  if (!said) return declareAllWords(tx, context)
  if (fact?.type === 'template-published' || fact?.type === 'template-translated')
    await declareWords(tx, context, fact)
}
