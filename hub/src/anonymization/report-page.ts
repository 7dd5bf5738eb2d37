import { html } from 'hono/html'
import type { RiskReport } from './report.ts'

type Part = ReturnType<typeof html>

const STYLE = `body{font-family:sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;line-height:1.7}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #949494;padding:.25rem .5rem;text-align:left;vertical-align:top}`

/** The report for people: sentences first, tables after. A page of its own, nothing fetched. */
export function riskPage(report: RiskReport): string {
  const body: Part[] = [
    list(report.sentences),
    section('五つの基準', ['基準', '満たし方'], criteria(report)),
    section(
      '表ごとの処理',
      ['表', '行', '除いた行', 'まとめたコード', '除いたコード', '丸めた値'],
      events(report),
    ),
    section('数え直し', ['結果', '項目'], checks(report)),
    html`<h2>限界</h2>`,
    list(report.limits),
  ]
  const page = html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <title>リスク評価報告書</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>リスク評価報告書</h1>
        ${body}
      </body>
    </html>`
  return String(page)
}

function criteria(report: RiskReport): string[][] {
  return report.criteria.map((c) => [`${c.criterion}　${c.japanese}`, c.by.join(' / ')])
}

function events(report: RiskReport): string[][] {
  return report.events.map((e) => [
    e.view,
    ...[e.rows, e.rowsDropped, e.codesGeneralised, e.codesDropped, e.valuesClipped].map(String),
  ])
}

function checks(report: RiskReport): string[][] {
  return report.checks.map((c) => [c.ok ? '一致' : `不一致（${c.found}）`, c.check])
}

function list(items: readonly string[]): Part {
  return html`<ul>
    ${items.map((item) => html`<li>${item}</li>`)}
  </ul>`
}

function section(title: string, head: readonly string[], rows: readonly string[][]): Part {
  const line = (cells: readonly string[]): Part =>
    html`<tr>
      ${cells.map((c) => html`<td>${c}</td>`)}
    </tr>`
  return html`<h2>${title}</h2>
    <table>
      <tr>
        ${head.map((h) => html`<th>${h}</th>`)}
      </tr>
      ${rows.map((r) => line(r))}
    </table>`
}
