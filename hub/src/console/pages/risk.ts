import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import type { RiskReport } from '../../anonymization/report.ts'
import { W } from '../words.ja.ts'

/** One sentence first, then each measure with its value, its threshold and the verdict in words. */
export function riskSection(report: RiskReport | null): Markup {
  if (!report)
    return html`<h2>${W.riskTitle}</h2>
      <p>${W.riskNone}</p>`
  const [first, ...rest] = report.sentences
  return html`<h2>${W.riskTitle}</h2>
    <p class="quote">${first}</p>
    <ul>
      ${rest.map((sentence) => html`<li>${sentence}</li>`)}
    </ul>
    ${measures(report)} ${attacks(report)} ${criteria(report)}
    <h3>${W.limits}</h3>
    <ul>
      ${report.limits.map((limit) => html`<li>${limit}</li>`)}
    </ul>`
}

function verdict(passes: boolean): Markup {
  return html`<span class="state" ${passes ? '' : html` data-alert`}>${passes ? W.passes : W.fails}</span>`
}

function measures({ k, diversity, checks }: RiskReport): Markup {
  const failed = checks.filter((check) => !check.ok)
  return table({
    caption: W.measures,
    columns: [W.measure, W.value, W.threshold, W.verdict],
    none: '-',
    rows: [
      [W.measureK, k.smallest, W.atLeast(k.wanted), verdict(k.smallest >= k.wanted)],
      [
        W.measureDiversity,
        diversity.smallest,
        W.atLeast(diversity.wanted),
        verdict(diversity.classesBelow === 0),
      ],
      [
        W.measureChecks,
        W.countOf(checks.length - failed.length, checks.length),
        W.allOf,
        verdict(failed.length === 0),
      ],
      ...failed.map((check) => [check.check, check.found, '0', verdict(false)] as const),
    ],
  })
}

function attacks({ attacks }: RiskReport): Markup {
  const percent = (share: number) => `${(share * 100).toFixed(1)}%`
  return table({
    caption: W.attacks,
    columns: [W.attackKnown, W.attackTargets, W.attackUnique, W.attackInterval],
    none: W.attackNone,
    rows: attacks.map((one) => [
      W.attackEvents(one.known),
      one.targets,
      one.unique,
      `${percent(one.low)} 〜 ${percent(one.high)}`,
    ]),
  })
}

function criteria({ criteria }: RiskReport): Markup {
  return table({
    caption: W.criteria,
    columns: [W.criterion, W.criterionBy],
    none: '-',
    rows: criteria.map((one) => [`${one.criterion} ${one.japanese}`, W.rulesCount(one.by.length)]),
  })
}
