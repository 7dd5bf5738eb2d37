import { compileCondition, compilePath, type Walk } from './path.ts'
import type { ViewColumn, ViewDefinition } from './view-shape.ts'

export type Cell = string | number | null
export type Row = Cell[]

export interface CompiledView {
  name: string
  resource: string
  columns: ViewColumn[]
  rows(resource: unknown): Row[]
}

/** A view over what a profile kept. Rows are the product of its selects, as SQL on FHIR says. */
export function compileView(view: ViewDefinition): CompiledView {
  const selects = view.select.map((select) => {
    const each = select.forEach ?? select.forEachOrNull
    return {
      each: each === undefined ? null : compilePath(each),
      orNull: select.forEachOrNull !== undefined,
      columns: select.column.map((c) => ({ column: c, walk: compilePath(c.path) })),
    }
  })
  const conditions = view.where.map((w) => compileCondition(w.path))
  return {
    name: view.name,
    resource: view.resource,
    columns: view.select.flatMap((s) => s.column),
    rows(resource) {
      if (!conditions.every((holds) => holds(resource))) return []
      let rows: Row[] = [[]]
      for (const { each, orNull, columns } of selects) {
        const nodes = each ? each(resource) : [resource]
        const parts = nodes.map((node) => columns.map(({ column, walk }) => cell(walk, node, column)))
        if (parts.length === 0 && orNull) parts.push(columns.map(() => null))
        rows = rows.flatMap((row) => parts.map((part) => [...row, ...part]))
      }
      return rows
    },
  }
}

function cell(walk: Walk, node: unknown, column: ViewColumn): Cell {
  const [value] = walk(node)
  if (column.type === 'decimal') return typeof value === 'number' && Number.isFinite(value) ? value : null
  return typeof value === 'string' ? value : null
}
