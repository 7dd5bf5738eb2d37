import { rmSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealControl } from '@kakehashi/protocol/control'
import { batchId, messageId } from '@kakehashi/protocol/ids'
import { CONTROL_VERSION } from '@kakehashi/protocol/messages'
import { inclusionProof, rootOf } from '@kakehashi/protocol/merkle'
import { newSigningKey, sha256, sign } from '@kakehashi/protocol/signing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { importNotices } from '../imports/notices.ts'
import { readMapping } from '../imports/mapping.ts'
import { certify, keyOf, registerOfMidori } from '../imports/world.fixture.ts'
import { applyControl } from '../uplink/inbox.ts'
import { openFolder, writeFolder } from './folder.ts'
import { evidenceFiles } from './gather.ts'
import { MANIFEST, type EvidenceScope, type Manifest } from './shape.ts'
import { Tree } from './tree.ts'
import { openZip } from './unzip.ts'
import { verifyEvidence, type Opened } from './verify.ts'
import { zipped } from './zip.ts'

type Ward = Awaited<ReturnType<typeof registerOfMidori>>

/** A year at Midori: a notice, its wait, a provision, a merge, a stop with its slip; others beside it. */
async function aYear(): Promise<Ward> {
  const ward = await registerOfMidori()
  const { register, clock, context } = ward
  await register.recordNotice({ patient: keyOf('00001001'), by: 's-01', withToken: true })
  await register.recordNotice({ patient: keyOf('00001002'), by: 's-01' })
  const bytes = Buffer.from('患者番号,印刷日時,印刷番号\n1003,2026-11-25 09:00,J-1\n')
  await importNotices(ward, { bytes, mapping: readMapping(null), by: 's-02' })
  clock.now += 45 * 86_400_000
  await certify(context)
  await provide(ward, 'b-1', ['00001001', '00001002'])
  clock.now += 86_400_000
  await register.mergeCharts({
    patient: keyOf('00001001'),
    other: keyOf('00001003'),
    certain: true,
    by: 's-02',
  })
  await register.recordStop({ patient: keyOf('00001001'), by: 's-01', erasureAsked: true })
  clock.now += 3_600_000
  return ward
}

/** A batch under way, and the vault's signed receipt of it. */
async function provide(ward: Ward, batch: string, numbers: string[]): Promise<void> {
  const { store, context, clock, vault } = ward
  const { operator } = context.hub
  const digest = 'd'.repeat(64)
  await store.bookkeep(async (tx) => {
    await tx
      .insertInto('outbox_batch')
      .values({
        batch,
        sequence: 1,
        leg: 'at-gateway',
        outcome: 'none',
        halted: 0,
        track: 'ANON',
        operator,
        digest,
        size: 10,
        records: 2,
        rule_version: '2024-04-01.1',
        created_at: clock.now,
        moved_at: clock.now,
      } as never)
      .execute()
    const items = JSON.stringify(['laboratory', 'diagnosis'])
    for (const number of numbers)
      await tx
        .insertInto('outbox_patient')
        .values({ batch, patient: keyOf(number), items })
        .execute()
  })
  const receipt = {
    type: 'receipt',
    version: CONTROL_VERSION,
    message: messageId(`m-${batch}`),
    at: clock.now,
    batch: batchId(batch),
    digest,
    outcome: 'accepted',
    accepted: 2,
    refusals: [],
  } as const
  const recipient = { id: context.keys.inbox.id, public: context.keys.inbox.public }
  const to = { agent: context.keys.agent, direction: 'down', recipient } as const
  await applyControl(context, sealControl({ ...receipt, refusals: [] }, to, vault))
}

async function packed(ward: Ward, scope: EvidenceScope): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for await (const { path, content } of evidenceFiles(ward.context, { scope, by: 's-02' })) {
    const parts: Uint8Array[] = []
    for await (const part of content) parts.push(part)
    files.set(path, Buffer.concat(parts))
  }
  return files
}

const opened = (files: ReadonlyMap<string, Buffer>): Opened => ({
  paths: () => [...files.keys()],
  read: (path) => files.get(path) ?? new Uint8Array(),
})

const PERSON: EvidenceScope = { kind: 'person', patient: keyOf('00001001') }
const YEAR: EvidenceScope = { kind: 'period', from: '2026-11-25', to: '2027-12-31' }

test('R52 a package about a person holds everything of every chart of theirs, verifies, and names nobody else', async () => {
  const ward = await aYear()
  const files = await packed(ward, PERSON)
  const report = verifyEvidence(opened(files), ward.context.keys.signing.public)
  expect(report.problems).toEqual([])
  expect(report).toMatchObject({ ok: true, texts: 1, decisions: 3, provisions: 1, receipts: 1 })
  expect(report.leaves).toBeGreaterThanOrEqual(4)
  const text = [...files.values()].map(String).join('\n')
  expect(text).toContain('00001003')
  expect(text).not.toContain('00001002')
  expect(text).not.toMatch(/山田|ヤマダ/)
  expect(String(files.get('documents.ndjson'))).toContain('"erasureAsked":true')
})

test('R52 a package about a period takes in whoever was recorded or provided of in it, and all its leaves', async () => {
  const ward = await aYear()
  const files = await packed(ward, YEAR)
  const report = verifyEvidence(opened(files), ward.context.keys.signing.public)
  expect(report.problems).toEqual([])
  expect(report).toMatchObject({ ok: true, provisions: 2 })
  const subjects = String(files.get('subjects.ndjson'))
  for (const number of ['00001001', '00001002', '00001003']) expect(subjects).toContain(number)
  expect(subjects).not.toContain('00001005')
  const asked = { name: '', kana: 'ナナシ', birthDate: null, requester: 'person', by: 's-01' } as const
  await ward.register.recordNameStop(asked)
  const quiet = await packed(ward, { kind: 'period', from: '2026-12-01', to: '2026-12-31' })
  expect(String(quiet.get('register/facility.ndjson'))).not.toContain('ナナシ')
  expect(String(quiet.get('subjects.ndjson'))).toBe('')
  expect(verifyEvidence(opened(quiet), null).ok).toBe(true)
})

test('R52 whatever is changed, added, taken away or signed by another is found', async () => {
  const ward = await aYear()
  const key = ward.context.keys.signing.public
  const files = await packed(ward, PERSON)
  for (const path of files.keys()) {
    const altered = new Map(files)
    const bytes = Buffer.from(files.get(path)!)
    if (bytes.length === 0) continue
    bytes[Math.floor(bytes.length / 2)]! ^= 1
    expect(verifyEvidence(opened(altered.set(path, bytes)), key).ok).toBe(false)
    const less = new Map(files)
    less.delete(path)
    expect(verifyEvidence(opened(less), key).ok).toBe(false)
  }
  expect(verifyEvidence(opened(new Map(files).set('more.txt', Buffer.from('x'))), key).ok).toBe(false)
  const other = newSigningKey(ward.env)
  const whats = (...keys: [Uint8Array, Uint8Array?]) =>
    verifyEvidence(opened(files), ...keys).problems.map((p) => p.what)
  expect(whats(other.public)).toContain('key-differs')
  expect(whats(key, ward.vault.public)).toEqual([])
  expect(whats(key, other.public)).toEqual(['key-differs', 'receipt-invalid'])
})

/** Somebody with the agent's key makes a consistent package of false contents. */
function resigned(ward: Ward, files: Map<string, Buffer>, change: (files: Map<string, Buffer>) => void) {
  const forged = new Map(files)
  change(forged)
  const manifest = (JSON.parse(String(forged.get(MANIFEST))) as { body: Manifest }).body
  manifest.files = [...forged]
    .filter(([path]) => path !== MANIFEST)
    .map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      sha256: Buffer.from(sha256(bytes)).toString('hex'),
    }))
  forged.set(MANIFEST, Buffer.from(JSON.stringify(sign('evidence', manifest, ward.context.keys.signing))))
  return verifyEvidence(opened(forged), ward.context.keys.signing.public).problems.map((p) => p.what)
}

test('R52 even who holds the key cannot drop a stop, date a notice earlier, or add an act beside the log', async () => {
  const ward = await aYear()
  const files = await packed(ward, PERSON)
  const edit = (path: string, from: RegExp, to: string) => (all: Map<string, Buffer>) =>
    all.set(path, Buffer.from(String(all.get(path)).replace(from, to)))
  expect(resigned(ward, files, () => {})).toEqual([])
  const noStop = edit('register/patients.ndjson', /.*"stop-asked".*\n/g, '')
  expect(resigned(ward, files, noStop)).toContain('decision-differs')
  const early = edit('register/patients.ndjson', /"deliveredAt":1795/g, '"deliveredAt":1785')
  expect(resigned(ward, files, early)).toContain('decision-differs')
  const twice = (all: Map<string, Buffer>) => {
    const lines = String(all.get('register/patients.ndjson'))
    const given = /.*"notice-given".*\n/.exec(lines)![0]
    const later = given.replace(/"recordedAt":\d+/, '"recordedAt":1890000000000')
    all.set('register/patients.ndjson', Buffer.from(lines + later.replace(/"seq":\d+/, '"seq":99999')))
  }
  expect(resigned(ward, files, twice)).toContain('act-without-leaf')
  const leaf = edit('audit/leaves.ndjson', /"seq":(\d+),"leaf":"(.{8})/, '"seq":$1,"leaf":"AAAAAAAA')
  expect(resigned(ward, files, leaf).length).toBeGreaterThan(0)
  const provided = edit('provisions.ndjson', /"b-1"/g, '"b-2"')
  expect(resigned(ward, files, provided)).toContain('provision-without-decision')
  const accepted = edit('receipts.ndjson', /"accepted":2/, '"accepted":9')
  expect(resigned(ward, files, accepted)).toContain('receipt-invalid')
  const rules = edit('rules.ndjson', /"waitDaysMin":30/, '"waitDaysMin":3')
  expect(resigned(ward, files, rules)).toContain('rules-altered')
})

test('R52 folder and ZIP carry the same package', async () => {
  const ward = await aYear()
  const at = mkdtempSync(join(tmpdir(), 'evidence-'))
  try {
    const folder = join(at, 'package')
    await writeFolder(folder, evidenceFiles(ward.context, { scope: PERSON, by: 's-02' }))
    expect(verifyEvidence(openFolder(folder), ward.context.keys.signing.public).problems).toEqual([])
    writeFileSync(join(folder, 'slipped-in'), '')
    expect(verifyEvidence(openFolder(folder), null).ok).toBe(false)
    await expect(
      writeFolder(folder, evidenceFiles(ward.context, { scope: PERSON, by: 's-02' })),
    ).rejects.toThrow('NOT_ALLOWED')
    const parts: Uint8Array[] = []
    for await (const part of zipped(evidenceFiles(ward.context, { scope: YEAR, by: 's-02' })))
      parts.push(part)
    const zip = Buffer.concat(parts)
    expect(verifyEvidence(openZip(zip), ward.context.keys.signing.public).problems).toEqual([])
  } finally {
    rmSync(at, { recursive: true })
  }
})

test('a damaged ZIP is refused or found out, never a crash', async () => {
  const ward = await aYear()
  const parts: Uint8Array[] = []
  for await (const part of zipped(evidenceFiles(ward.context, { scope: PERSON, by: 's-02' })))
    parts.push(part)
  const zip = Buffer.concat(parts)
  fc.assert(
    fc.property(fc.nat(zip.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const damaged = Buffer.from(zip)
      damaged[at]! ^= bits
      try {
        const report = verifyEvidence(openZip(damaged), ward.context.keys.signing.public)
        expect(typeof report.ok).toBe('boolean')
      } catch (error) {
        expect((error as Error).name).toBe('Refused')
      }
    }),
    { numRuns: 60 },
  )
})

test('proofs out of the whole tree are the log’s own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), (size, pick) => {
      const leaves = Array.from({ length: size }, (_, i) => sha256(String(i)))
      const tree = new Tree(leaves)
      expect(Buffer.from(tree.root)).toEqual(Buffer.from(rootOf(leaves)))
      const index = pick % size
      expect(tree.proof(index).map((h) => Buffer.from(h).toString('hex'))).toEqual(
        inclusionProof(leaves, index).map((h) => Buffer.from(h).toString('hex')),
      )
    }),
  )
})
