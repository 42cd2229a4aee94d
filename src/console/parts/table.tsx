import type { ReactNode } from 'react'

/** A column. On a phone the first column is a row's title; the others follow as `label value`. */
export interface Column<Row> {
  readonly key: string
  readonly label: string
  readonly cell: (row: Row) => ReactNode
  readonly number?: boolean
  /** Left out on a phone. */
  readonly wide?: boolean
  /** On a phone shown without its label. */
  readonly plain?: boolean
  /** Holds buttons: at the right end. */
  readonly actions?: boolean
}

/** A table that folds into a list on a phone. */
export function Table<Row>(props: {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly className?: string
}): ReactNode {
  const cellClass = (column: Column<Row>): string =>
    [column.number && 'number', column.wide && 'wide', column.plain && 'plain', column.actions && 'actions']
      .filter(Boolean)
      .join(' ')
  return (
    <table className={`table ${props.className ?? ''}`} role="table" aria-label={props.label}>
      <thead role="rowgroup">
        <tr role="row">
          {props.columns.map((column) => (
            <th key={column.key} scope="col" role="columnheader" className={cellClass(column)}>
              {column.actions === true ? <span className="hidden">{column.label}</span> : column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {props.rows.map((row) => (
          <tr key={props.rowKey(row)} role="row">
            {props.columns.map((column) => (
              <td key={column.key} role="cell" className={cellClass(column)} data-label={column.label}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
