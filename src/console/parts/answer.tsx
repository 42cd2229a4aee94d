import { useEffect, type ReactNode } from 'react'
import type { State } from './basics.tsx'
import { StateMark } from './basics.tsx'

/** A piece of a sentence; with `href` it leads to the facts behind it. */
export interface Piece {
  readonly text: string
  readonly href?: string | undefined
}

/** The head of a page: its name, and its answer in one sentence. */
export function PageHead(props: {
  readonly title: string
  readonly state?: State
  readonly answer: readonly Piece[]
  readonly actions?: ReactNode
  readonly trail?: ReactNode
}): ReactNode {
  useEffect(() => {
    document.title = `${props.title} · Holdfast`
  }, [props.title])
  return (
    <header className="page-head">
      <div className="page-name">
        {props.trail}
        <h1>{props.title}</h1>
      </div>
      <p className="answer">
        {props.state !== undefined && <StateMark state={props.state} />}
        <Sentence pieces={props.answer} />
      </p>
      {props.actions !== undefined && <div className="page-actions">{props.actions}</div>}
    </header>
  )
}

/** A sentence whose parts may be links. */
export function Sentence({ pieces }: { pieces: readonly Piece[] }): ReactNode {
  return (
    <span>
      {pieces.map((piece, index) =>
        piece.href === undefined ? (
          <span key={index}>{piece.text}</span>
        ) : (
          <a key={index} href={piece.href}>
            {piece.text}
          </a>
        ),
      )}
    </span>
  )
}
