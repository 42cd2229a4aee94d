import type { ReactNode } from 'react'

/** What is known of a thing: a word, and what there is to say. */
export type KnownLine = readonly [word: string, value: ReactNode]

/** What is known of a thing, line by line. */
export function Known({ lines }: { lines: readonly KnownLine[] }): ReactNode {
  return (
    <dl className="known">
      {lines.map(([word, value]) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
