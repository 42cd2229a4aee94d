import type { ReactNode } from 'react'
import { Icon } from './icons.tsx'

/** A field that narrows what a page shows; `/` leads to it. */
export function Filter(props: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  /** How many are left, read out. */
  readonly count?: number
}): ReactNode {
  return (
    <div className="filter" role="search">
      <Icon name="search" />
      <input
        type="search"
        data-filter=""
        aria-label={props.label}
        placeholder={props.label}
        autoComplete="off"
        spellCheck={false}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <kbd aria-hidden="true">/</kbd>
      {props.count !== undefined && (
        <span className="hidden" role="status">
          {props.count} found
        </span>
      )}
    </div>
  )
}
