import type { LineReason } from './reasons.ts'

/** Lines longer than this are named and left out. */
export const CSV_ROW_CHARS_MAX = 64 * 1024
export const CSV_CELLS_MAX = 256
export const CSV_BYTES_MAX = 64 * 1024 * 1024

/** `line`: the number of its first line in the file, from 1, as an editor counts. */
export type CsvRow = { line: number; cells: string[] } | { line: number; fault: LineReason }

export type Separator = ',' | '\t' | ';'

/** The separator that the header line uses most. */
export function separatorOf(text: string): Separator {
  const head = text.slice(0, CSV_ROW_CHARS_MAX).split(/\r\n|\n|\r/, 1)[0] ?? ''
  const count = (c: Separator) => head.split(c).length
  return count('\t') > count(',') ? '\t' : count(';') > count(',') ? ';' : ','
}

/**
 * RFC 4180, strictly, one row at a time; empty lines are passed over. A row that is broken is yielded as such and the
 * reading goes on with the next line of the file, so that one open quote does not swallow the rest. Never throws.
 */
export function* csvRows(text: string, separator: Separator = ','): Generator<CsvRow> {
  let at = 0
  let line = 1
  while (at < text.length) {
    const row = readRow(text, at, separator)
    if (typeof row === 'string') {
      yield { line, fault: row }
      at = endOfLine(text, at)
      line += 1
      continue
    }
    if (row.cells.length > 1 || row.cells[0] !== '') yield { line, cells: row.cells }
    line += row.lines
    at = row.next
  }
}

interface Row {
  cells: string[]
  next: number
  lines: number
}

function readRow(text: string, from: number, separator: Separator): Row | LineReason {
  const cells: string[] = []
  let at = from
  let lines = 0
  for (;;) {
    const cell = text[at] === '"' ? quoted(text, at, from) : plain(text, at, separator)
    if (typeof cell === 'string') return cell
    if (cell.end - from > CSV_ROW_CHARS_MAX || cells.length >= CSV_CELLS_MAX) return 'TOO_LONG'
    if (hasControl(cell.value)) return 'CONTROL_CHARACTER'
    cells.push(cell.value)
    lines += cell.breaks
    at = cell.end
    if (text[at] === separator) at += 1
    else if (at >= text.length || text[at] === '\n' || text[at] === '\r')
      return { cells, next: endOfLine(text, at), lines: lines + 1 }
    else return 'QUOTE_BROKEN'
  }
}

interface Cell {
  value: string
  end: number
  breaks: number
}

function plain(text: string, from: number, separator: Separator): Cell | LineReason {
  const most = from + CSV_ROW_CHARS_MAX
  let end = from
  while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') {
    if (text[end] === '"') return 'QUOTE_BROKEN'
    if (end++ > most) return 'TOO_LONG'
  }
  return { value: text.slice(from, end), end, breaks: 0 }
}

function quoted(text: string, from: number, rowStart: number): Cell | LineReason {
  let value = ''
  let at = from + 1
  for (;;) {
    const close = text.indexOf('"', at)
    if (close < 0) return 'QUOTE_BROKEN'
    if (close - rowStart > CSV_ROW_CHARS_MAX) return 'QUOTE_BROKEN'
    value += text.slice(at, close)
    if (text[close + 1] !== '"')
      return { value, end: close + 1, breaks: value.split(/\r\n|\n|\r/).length - 1 }
    value += '"'
    at = close + 2
  }
}

function hasControl(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value)
}

/** Past the next line break. */
function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\n') return at + 1
    if (text[at] === '\r') return text[at + 1] === '\n' ? at + 2 : at + 1
  }
  return text.length
}
