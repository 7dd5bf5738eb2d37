import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { dayAndTime } from '@kakehashi/ui/dates'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { storedInJapanese } from '@kakehashi/protocol/refusals'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import { W } from '../../counter/words.ja.ts'
import type { SourceStanding } from '../../sources/standing.ts'
import { O } from '../words.ja.ts'

export interface SourcesView {
  counting: boolean
  failed: boolean
  last: { at: number; standings: readonly SourceStanding[] } | null
  now: number
}

const DAY_MS = 86_400_000

export function sourcesPage(around: DeskView, { counting, failed, last, now }: SourcesView): Markup {
  return desk(
    around,
    O.sourcesTitle,
    html`<h1>${O.sourcesTitle}</h1>
      <p>${O.sourcesLead}</p>
      ${
        counting
          ? html`<p class="state" role="status">${O.counting}</p>`
          : html`<form method="post" action="/office/sources/count">
              ${hiddenField('csrf', around.csrf)}${button({ text: O.countAgain, kind: 'secondary' })}
            </form>`
      }
      ${failed ? banner({ kind: 'warning', label: W.warningLabel, text: O.sourcesFailed }) : ''}
      ${last ? html`<p>${O.sourcesAt(dayAndTime(last.at))}</p>` : ''}
      ${last?.standings.length === 0 ? html`<p>${O.sourcesNone}</p>` : ''}
      ${last?.standings.map((one) => standing(one, now)) ?? ''}
      ${linkButton({ text: SHARED_WORDS.back, href: '/office' })}`,
  )
}

function standing(one: SourceStanding, now: number): Markup {
  const old = one.readAt === null || now - one.readAt > DAY_MS
  return html`<h2>${one.source}</h2>
    <p>${one.readAt === null ? O.sourceNeverRead : O.sourceReadAt(dayAndTime(one.readAt))}</p>
    ${old ? banner({ kind: 'warning', label: W.warningLabel, text: O.sourceOld, more: O.sourceOldNext }) : ''}
    ${one.brakes.map((brake) =>
      banner({
        kind: 'warning',
        label: W.warningLabel,
        text: O.sourceBrake(brake.type, brake.missing, brake.total),
        more: O.sourceBrakeNext(one.source, brake.type),
      }),
    )}
    ${
      one.held.some(({ code }) => code === 'SOURCE_REGRESSED')
        ? banner({
            kind: 'warning',
            label: W.warningLabel,
            text: O.sourceOlder,
            more: O.sourceOlderNext(one.source),
          })
        : ''
    }
    ${table({
      caption: O.sourceRecords,
      columns: [...O.sourceColumns],
      none: '',
      rows: [
        [O.sourceReadable, one.readable, ''],
        ...one.held.map((held) => [
          O.sourceHeld(storedInJapanese(held.code)),
          held.records,
          O.sourceSince(dayAndTime(held.oldest)),
        ]),
        [O.sourceGone, one.gone, ''],
        [O.sourceSum, one.records, ''],
      ],
    })}
    ${
      one.quarantined.length === 0
        ? ''
        : html`${table({
              caption: O.sourceBroken,
              columns: [...O.sourceBrokenColumns],
              none: '',
              rows: one.quarantined.map((row) => [storedInJapanese(row.code), row.places]),
            })}
            <p>${O.sourceBrokenNext}</p>`
    }`
}
