import type { FacilityDeclared } from '@kakehashi/protocol/messages'
import { compareDates, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FilingFact, LocalDate, TemplateFact } from '@kakehashi/protocol/rules/state'
import type { NoticeFacts } from '../portal/notice.ts'
import { WORDS_AT_ONCE, type ListedWords } from '../portal/notice-words.ts'
import type { VaultParts } from '../vault/parts.ts'
import { PeerFailed, type Peer } from '../vault/peer.ts'

/** The newest filed text of each track. */
function filedIn(
  { templates, filings }: FacilityDeclared,
  today: LocalDate,
): { filing: FilingFact; template: TemplateFact }[] {
  return (['ANON', 'PSEUDO'] as const).flatMap((track) => {
    const open = filings.filter(
      (one) =>
        one.track === track &&
        compareDates(one.acceptedOn, today) <= 0 &&
        (one.endedOn === null || compareDates(today, one.endedOn) <= 0),
    )
    const filing = open.toSorted((a, b) => b.templateVersion - a.templateVersion)[0]
    const template = templates
      .filter((one) => one.track === track && filing !== undefined && one.version <= filing.templateVersion)
      .toSorted((a, b) => b.version - a.version)[0]
    return filing && template ? [{ filing, template }] : []
  })
}

function noticeIn(declared: FacilityDeclared, today: LocalDate): NoticeFacts | null {
  const { entity, waitDays } = declared
  const tracks = filedIn(declared, today).map(({ filing, template }) => ({
    track: template.track,
    items: template.items,
    filedOn: filing.acceptedOn,
  }))
  if (tracks.length === 0) return null
  const { name, address, representative } = entity
  return { provider: { name, address, representative }, waitDays, tracks }
}

const TELL_AGAIN_MS = 10 * 60_000
type Told = { said: string; at: number }
const HOSPITALS_TOLD = new WeakMap<VaultParts, Told>()
const WORDS_TOLD = new WeakMap<VaultParts, Told>()

/** Again now and then: a portal set up anew knows nothing. */
async function tellIfNew(
  parts: VaultParts,
  told: WeakMap<VaultParts, Told>,
  what: unknown,
  tell: () => Promise<void>,
): Promise<void> {
  const said = JSON.stringify(what)
  const before = told.get(parts)
  const at = parts.env.now()
  if (before?.said === said && at < before.at + TELL_AGAIN_MS) return
  await tell()
  told.set(parts, { said, at })
}

/** The newest declaration of each facility that takes part. */
async function takingPart({ ops }: VaultParts): Promise<Map<string, FacilityDeclared>> {
  const rows = await ops.db
    .selectFrom('facility_declaration')
    .select(['facility', 'body'])
    .orderBy('declared_at')
    .orderBy('received_at')
    .execute()
  const found = new Map<string, FacilityDeclared>()
  for (const { facility, body } of rows) {
    const declared = JSON.parse(body) as FacilityDeclared
    if (declared.endedOn === null) found.set(facility, declared)
    else found.delete(facility)
  }
  return found
}

/** Facilities by the name their entity filed: who has no paper chooses one of them. */
export async function tellHospitals(parts: VaultParts, portal: Peer): Promise<void> {
  const today = tokyoDate(parts.env.now())
  const hospitals = [...(await takingPart(parts))].map(([facility, declared]) => ({
    facility,
    name: declared.entity.name,
    notice: noticeIn(declared, today),
  }))
  await tellIfNew(parts, HOSPITALS_TOLD, hospitals, () => portal.post('/v1/vault/hospitals', { hospitals }))
}

/**
 * The words of what is filed, where the Japanese ones are those the declared template pins: what a hospital filed is shown
 * in no other words. The portal says which it lacks, so that each is told once.
 */
export async function tellNoticeWords(parts: VaultParts, portal: Peer): Promise<void> {
  const today = tokyoDate(parts.env.now())
  const listed: ListedWords[] = []
  for (const [facility, declared] of await takingPart(parts))
    for (const { template } of filedIn(declared, today)) {
      const rows = await parts.ops.db
        .selectFrom('notice_text')
        .select(['track', 'language', 'hash'])
        .where('facility', '=', facility)
        .where('track', '=', template.track)
        .where('version', '=', template.version)
        .orderBy('language')
        .execute()
      if (rows.some((row) => row.language === 'ja' && row.hash === template.hash))
        listed.push(...rows.map((row) => ({ facility, ...row })))
    }
  await tellIfNew(parts, WORDS_TOLD, listed, async () => {
    const { missing } = await portal.postJson<{ missing: string[] }>('/v1/vault/notices', { listed })
    for (let from = 0; from < missing.length; from += WORDS_AT_ONCE) {
      const texts = await parts.ops.db
        .selectFrom('notice_text')
        .select('text')
        .distinct()
        .where('hash', 'in', missing.slice(from, from + WORDS_AT_ONCE))
        .execute()
      await portal.post('/v1/vault/notices/words', { texts: texts.map((row) => row.text) })
    }
  })
}

/** A portal of the version before shows no words; everything else it is told. */
export async function tellNoticeWordsIfKnown(parts: VaultParts, portal: Peer): Promise<void> {
  try {
    await tellNoticeWords(parts, portal)
  } catch (error) {
    if (!(error instanceof PeerFailed) || error.status !== 404) throw error
  }
}
