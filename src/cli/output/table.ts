import type { Paper } from './paper.ts'
import { columnsOf, cut, pad } from './text.ts'

/** One column of a table. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right' | undefined
}

const gap = '  '

/**
 * Lines of a table with aligned columns, the titles first. The last column is cut when a line would not fit; numbers
 * belong to the right.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paper: Paper,
): readonly string[] {
  if (rows.length === 0) return []
  const widths = columns.map(({ title }, index) =>
    Math.max(columnsOf(title), ...rows.map((row) => columnsOf(row[index] ?? ''))),
  )
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0)
  const lastWidth = Math.max(12, paper.width - before)
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? ''
        const last = index === columns.length - 1
        return last && align !== 'right' ? cut(cell, lastWidth) : pad(cell, widths[index] ?? 0, align)
      })
      .join(gap)
      .trimEnd()
  return [paper.paint('dim', line(columns.map(({ title }) => title))), ...rows.map(line)]
}
