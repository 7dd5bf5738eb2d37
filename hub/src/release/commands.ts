import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { fromBase64, newBoxKey, toBase64, type BoxKey } from '@kakehashi/protocol/signing'
import { ProfileRefused } from '../anonymization/profile.ts'
import { linkedCohort } from '../anonymization/linked-cohort.ts'
import { isFrom } from '../anonymization/persons.ts'
import { ReleaseImpossible } from '../anonymization/disclosure.ts'
import type { HubContext } from '../commands/context.ts'
import {
  OFFICERS,
  proven,
  provenOnceKnown,
  REVIEWERS,
  withSecrets,
  type ProofOptions,
} from '../commands/proof.ts'
import { BuildRefused } from './build.ts'
import type { ReleaseContext } from './context.ts'
import { deliverRelease } from './deliver.ts'
import {
  addReviewer,
  amendRelease,
  assignReviewers,
  confirmUserErased,
  draftRelease,
  recallRelease,
  submitRelease,
  voteOnRelease,
} from './flow.ts'
import { buildRelease } from './make.ts'
import { openParcel } from './parcel.ts'
import { releaseList, releaseView } from './read.ts'
import { STATE_WORDS, transitionDiagram, TRANSITIONS } from './rules.ts'
import type { OpenVault } from '../vault/opening.ts'
import { ReleaseRefused } from './transition.ts'
import { verifyPackage } from './verify.ts'

const BUILDERS = ['author'] as const
const DELIVERERS = ['author', ...OFFICERS] as const

type Acted = ProofOptions & { by: string }

type Act = <T>(act: (release: ReleaseContext, vault: OpenVault) => Promise<T>) => Promise<T>

/** `release …`: from the application to delivery. Who acts is named by `--by`; the rules are the flow's. */
export function registerReleaseCommands(program: Command, context: HubContext): void {
  const release = program.command('release').description('提供の申請・審査・作成・出力確認・提供')
  const acting: Act = async (act) => {
    try {
      return await context.withVault((vault) => act(vault.release, vault))
    } catch (error) {
      return context.fail(sentenceOf(error))
    }
  }
  registerApplication(release, context, acting)
  registerReview(release, context, acting)
  registerMaking(release, context, acting)
  registerReading(release, context, acting)
  registerUserSide(release, context)
}

function sentenceOf(error: unknown): string {
  if (error instanceof ReleaseRefused) return error.japanese
  if (error instanceof BuildRefused) {
    const found = [...new Set(error.findings.map((f) => `${f.kind}（${f.place}）`))]
    return `作成した内容が検査を通らなかったため、破棄しました。\n見つかったもの: ${found.join('、')}\n次にすること: 規則または元データを見直し、もう一度作成してください。`
  }
  if (error instanceof ReleaseImpossible)
    return '対象の人数が少なく、k の基準を満たす表を作れません。\n次にすること: 対象の範囲を広げて申請し直してください。'
  if (error instanceof ProfileRefused) return `匿名加工の規則に誤りがあります: ${error.message}`
  throw error
}

function readJson(context: HubContext, path: string): unknown {
  if (!existsSync(path)) return context.fail(`ファイルがありません: ${path}`)
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown
  } catch {
    return context.fail(`JSONとして読めません: ${path}`)
  }
}

interface Drafting {
  application: string
  profile?: string
  k?: string
  kReason?: string
  by: string
}

function profileFor(context: HubContext, options: Drafting): unknown {
  if (options.profile !== undefined) return readJson(context, options.profile)
  if (options.k === undefined) return linkedCohort()
  const k = Number(options.k)
  try {
    return linkedCohort({
      k,
      rareCodeMin: k,
      tailMin: k,
      ...(options.kReason ? { smallKReason: options.kReason } : {}),
    })
  } catch (error) {
    return context.fail(sentenceOf(error))
  }
}

function registerApplication(release: Command, context: HubContext, acting: Act): void {
  const drafting = (command: Command): Command =>
    command
      .requiredOption('--application <file>', '申請書（JSON）')
      .option('--profile <file>', '匿名加工の規則（JSON）。省略時は地域別の連結コホート')
      .option('--k <n>', 'k を変える（10 未満は --k-reason が必要）')
      .option('--k-reason <text>', '10 未満にする理由')
      .requiredOption('--by <staff>', '申請者')
  drafting(release.command('draft').description('申請を書き始める')).action(async (options: Drafting) => {
    const application = readJson(context, options.application)
    const made = await acting((r) =>
      draftRelease(r.ops, options.by, application, profileFor(context, options)),
    )
    context.tell(`申請を作りました: ${made.release}`, made)
  })
  drafting(release.command('amend <release>').description('申請を書き換える（審査はやり直し）')).action(
    async (id: string, options: Drafting) => {
      const application = readJson(context, options.application)
      await acting((r) => amendRelease(r.ops, id, options.by, application, profileFor(context, options)))
      context.tell(`申請を書き換えました: ${id}`, { release: id })
    },
  )
  release
    .command('submit <release>')
    .description('申請を出す')
    .requiredOption('--by <staff>', '申請者')
    .action(async (id: string, { by }: { by: string }) => {
      await acting((r) => submitRelease(r.ops, id, by))
      context.tell(`申請を出しました: ${id}`, { release: id })
    })
}

function registerReview(release: Command, context: HubContext, acting: Act): void {
  release
    .command('assign <release> <reviewers...>')
    .description('審査者を二人以上指名する（申請者は指名できない）')
    .requiredOption('--by <staff>', '指名した事務局の職員')
    .action(async (id: string, reviewers: string[], { by }: { by: string }) => {
      await acting((r) => assignReviewers(r.ops, id, by, reviewers))
      context.tell(`審査者を指名しました: ${reviewers.join('、')}`, { release: id, reviewers })
    })
  release
    .command('add-reviewer <release> <reviewer>')
    .description('利害関係のあった審査者に代わる審査者を加える')
    .requiredOption('--by <staff>', '指名した事務局の職員')
    .action(async (id: string, reviewer: string, { by }: { by: string }) => {
      await acting((r) => addReviewer(r.ops, id, by, reviewer))
      context.tell(`審査者を加えました: ${reviewer}`, { release: id, reviewer })
    })
  withSecrets(
    release
      .command('vote <release>')
      .description(
        '審査または出力確認の票を入れる（二人の票がそろうまで互いに見えない。合言葉と確認の番号が要る）',
      ),
  )
    .requiredOption('--by <staff>', '審査者')
    .option('--reject', '認めない')
    .option('--conflict', '利害関係がある（票は数えない）')
    .option('--digest <hex>', '見た内容の要約値。省略時は今の内容')
    .option('--reason <text>', '理由', '')
    .action(
      async (
        id: string,
        o: ProofOptions & {
          by: string
          reject?: boolean
          conflict?: boolean
          digest?: string
          reason: string
        },
      ) => {
        const state = await acting(async (r, vault) => {
          await proven(context, vault, o, REVIEWERS, [o.by])
          const { voting } = await releaseView(r.ops.db, id, o.by)
          if (!voting)
            throw new ReleaseRefused('今は投票を受け付けていません。申請の状態を確認してください。')
          return voteOnRelease(r.ops, id, o.by, {
            stage: voting.stage,
            digest: o.digest ?? voting.digest,
            answer: o.reject ? 'reject' : 'approve',
            conflict: o.conflict === true,
            reason: o.reason,
          })
        })
        context.tell(`票を入れました。状態: ${STATE_WORDS[state]}`, { release: id, state })
      },
    )
}

function registerMaking(release: Command, context: HubContext, acting: Act): void {
  withSecrets(release.command('build <release>').description('承認された内容でデータを作る'))
    .requiredOption('--by <staff>', '作成者')
    .action(async (id: string, o: Acted) => {
      const built = await acting(async (r, vault) => {
        await provenOnceKnown(context, vault, o, BUILDERS, o.by)
        context.progress('加工して、数え直して、検査しています…')
        return buildRelease(r, id, o.by)
      })
      const { build, directory, digest, rows, smallestClass, sentences } = built
      const persons = built.members.length
      context.tell([`作成しました: ${directory}`, `人数 ${persons}、行 ${rows}`, ...sentences].join('\n'), {
        release: id,
        build,
        directory,
        digest,
        persons,
        rows,
        smallestClass,
        sentences,
      })
    })
  withSecrets(
    release.command('deliver <release>').description('出力確認の済んだデータを、利用者の鍵に封じて渡す'),
  )
    .requiredOption('--by <staff>', '提供した職員')
    .action(async (id: string, o: Acted) => {
      const { parcel, label } = await acting(async (r, vault) => {
        await provenOnceKnown(context, vault, o, DELIVERERS, o.by)
        return deliverRelease(r, id, o.by)
      })
      context.tell(`提供しました: ${parcel}\n対応表と日付のずれは消しました。`, {
        release: id,
        parcel,
        label,
      })
    })
  release
    .command('recall <release>')
    .description('提供したデータの利用を止めて回収する')
    .requiredOption('--by <staff>', '職員')
    .requiredOption('--reason <text>', '理由')
    .action(async (id: string, { by, reason }: { by: string; reason: string }) => {
      await acting((r) => recallRelease(r.ops, id, by, reason))
      context.tell('回収を記録しました。', { release: id, state: 'RECALLED' })
    })
  release
    .command('user-erased <release>')
    .description('利用者が消去したことを記録する')
    .requiredOption('--by <staff>', '職員')
    .requiredOption('--proof <text>', '確かめた書類')
    .action(async (id: string, { by, proof }: { by: string; proof: string }) => {
      await acting((r) => confirmUserErased(r.ops, id, by, proof))
      context.tell('消去を記録しました。', { release: id, state: 'ERASED' })
    })
}

function registerReading(release: Command, context: HubContext, acting: Act): void {
  release
    .command('list')
    .description('申請の一覧')
    .action(async () => {
      const rows = await acting((r) => releaseList(r.ops.db))
      context.tell(
        rows.map((r) => `${r.release}  ${STATE_WORDS[r.state]}  ${r.title}`).join('\n') ||
          '申請はありません。',
        rows,
      )
    })
  release
    .command('show <release>')
    .description('一つの申請の内容・票・リスクの報告')
    .requiredOption('--by <staff>', '見る職員（票はその人に見えるものだけ）')
    .action(async (id: string, { by }: { by: string }) => {
      const view = await acting((r) => releaseView(r.ops.db, id, by))
      context.tell(
        [`${view.title}（${STATE_WORDS[view.state]}）`, view.purpose, ...(view.risk?.sentences ?? [])].join(
          '\n',
        ),
        view,
      )
    })
  release
    .command('states')
    .description('提供の状態の移り変わりを図（Mermaid）で出す')
    .action(() => context.tell(transitionDiagram(), TRANSITIONS))
  release
    .command('trace <pseudonym>')
    .description('漏れた仮の番号が、どの提供のものかを調べる')
    .action(async (pseudonym: string) => {
      const found = await acting(async (r) =>
        (await r.ops.db.selectFrom('release_build').select(['release', 'id', 'fingerprint']).execute()).find(
          (b) => isFrom(pseudonym, b.fingerprint),
        ),
      )
      context.tell(found ? `提供 ${found.release} のものです。` : 'どの提供のものでもありません。', {
        release: found?.release ?? null,
      })
    })
}

/** What a user of data runs: needs the vault's public key file and, to open, the user's own key. */
function registerUserSide(release: Command, context: HubContext): void {
  release
    .command('user-key <file>')
    .description('利用者の鍵を作る（公開鍵は申請書の recipient.key に書く）')
    .action(async (file: string) => {
      const { writeFile } = await import('node:fs/promises')
      const key = newBoxKey(context.env)
      const body = { id: key.id, public: toBase64(key.public), secret: toBase64(key.secret) }
      await writeFile(file, `${JSON.stringify(body)}\n`, { mode: 0o600, flag: 'wx' })
      context.tell(`公開鍵: ${body.public}`, { public: body.public, id: key.id })
    })
  release
    .command('open <parcel> <folder>')
    .description('受け取った封を開けて確かめる')
    .requiredOption('--key <file>', '利用者の鍵')
    .requiredOption('--public <file>', '事業者の公開鍵ファイル（public.json）')
    .action(async (parcel: string, folder: string, o: { key: string; public: string }) => {
      const key = readJson(context, o.key) as { id: BoxKey['id']; public: string; secret: string }
      const own: BoxKey = { id: key.id, public: fromBase64(key.public), secret: fromBase64(key.secret) }
      const vault = packageKey(readJson(context, o.public))
      const label = await openParcel(parcel, own, vault, folder)
      if (!label) return context.fail('開けられません。宛先の鍵が違うか、ファイルが変えられています。')
      const report = await verifyPackage(folder, vault)
      if (!report.ok)
        return context.fail('開けましたが、内容が署名と一致しません。使わずに事業者へ連絡してください。')
      return context.tell(`開けました: ${folder}`, { label, report })
    })
}

/** The key that signs packages, as `public.json` names it. */
function packageKey(open: unknown): Uint8Array {
  return fromBase64(String((open as Record<string, unknown>)['vaultSigningKey'] ?? ''))
}

/** `verify --package`. */
export async function verifyPackageCommand(
  context: HubContext,
  folder: string,
  vaultPublic: Uint8Array,
): Promise<void> {
  const report = await verifyPackage(folder, vaultPublic)
  const bad = report.checks.filter((c) => !c.ok)
  if (bad.length > 0)
    return context.fail(
      `データに問題があります: ${bad.map((c) => `${c.check}（${c.detail}）`).join('、')}\n次にすること: 使わずに、提供した事業者へ連絡してください。`,
    )
  return context.tell(`データは署名と一致しています（${report.checks.length}項目）。`, report)
}
