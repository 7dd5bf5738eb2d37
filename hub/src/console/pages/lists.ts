import { linkButton } from '@kakehashi/ui/button'
import { dayAndTime } from '@kakehashi/ui/dates'
import { html, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { table } from '@kakehashi/ui/table'
import type { CertificateCore } from '../../requests/certificate.ts'
import type { AgentLine, ErasureLine, LinkageLine } from '../read.ts'
import { W } from '../words.ja.ts'
import { room, type RoomView } from './room.ts'

export function agentsPage(around: RoomView, lines: readonly AgentLine[]): Markup {
  const standing = { heard: W.standingOk, silent: W.standingSilent, retired: W.standingRetired }
  return room(
    around,
    W.agents,
    html`<h1>${W.agents}</h1>
      ${table({
        caption: W.agentList,
        columns: [W.agent, W.facility, W.standing, W.heard, W.pending, W.software],
        none: W.agentsNone,
        rows: lines.map((line) => [
          line.agent,
          line.facility,
          html`<span class="state">${standing[line.standing]}</span>`,
          line.lastHeardAt === null ? W.never : dayAndTime(line.lastHeardAt),
          line.pending ?? '-',
          line.software ?? '-',
        ]),
      })}`,
  )
}

export function linkagePage(around: RoomView, lines: readonly LinkageLine[]): Markup {
  return room(
    around,
    W.linkage,
    html`<h1>${W.linkage}</h1>
      <p>${W.linkageLead}</p>
      ${table({
        caption: W.linkageList,
        columns: [W.openedAt, W.facility, W.candidates, W.why],
        none: W.linkageNone,
        rows: lines.map((line) => [
          dayAndTime(line.openedAt),
          line.facility,
          line.candidates,
          line.reasons.map((reason) => W.reason[reason]).join('、'),
        ]),
      })}`,
  )
}

export function erasuresPage(around: RoomView, lines: readonly ErasureLine[]): Markup {
  return room(
    around,
    W.erasures,
    html`<h1>${W.erasures}</h1>
      ${table({
        caption: W.erasureList,
        columns: [W.erasureNumber, W.erasureAsked, W.erasureState, W.erasureDone, W.certificate],
        none: W.erasureNone,
        rows: lines.map((line) => [
          line.erasure,
          dayAndTime(line.askedAt),
          W.erasureStates[line.state],
          line.doneAt === null ? '-' : dayAndTime(line.doneAt),
          line.certificate === null
            ? '-'
            : html`<a href="/erasures/${line.erasure}"
                >${W.certificateOpen}<span class="hide"> ${line.erasure}</span></a
              >`,
        ]),
      })}`,
  )
}

export function certificatePage(around: RoomView, erasure: string, core: CertificateCore): Markup {
  return room(
    around,
    W.certificate,
    html`<h1>${W.certificate}</h1>
      ${summaryList([
        { term: W.erasureNumber, detail: core.erasure },
        { term: W.erasureAsked, detail: dayAndTime(core.askedAt) },
        { term: W.erasureDone, detail: dayAndTime(core.doneAt) },
        { term: W.keysDestroyed, detail: core.keysDestroyed.length },
      ])}
      ${table({
        caption: W.places,
        columns: [W.place, W.count],
        none: '-',
        rows: core.places.map((one) => [one.place, one.count]),
      })}
      <p>${W.certificateCheck}</p>
      ${linkButton({ text: W.certificateDownload, href: `/erasures/${erasure}/certificate.json` })}`,
  )
}
