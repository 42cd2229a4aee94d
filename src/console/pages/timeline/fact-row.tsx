import { memo, useEffect, useRef, useState, type ReactNode } from 'react'
import { hrefOfSubject, SeverityMark, type Fact } from '../../parts/facts.tsx'
import { placeOf } from '../../router/router.ts'
import { sayMoment, sayTime } from '../../words/format.ts'

/** One fact; opened it shows its data, its place in the chain, and what belongs to it. */
export const FactRow = memo(function FactRow(props: {
  readonly fact: Fact
  readonly open: boolean
}): ReactNode {
  const { fact } = props
  const [open, setOpen] = useState(props.open)
  const row = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (!props.open) return
    setOpen(true)
    const show = (): void => row.current?.scrollIntoView({ block: 'center' })
    show()
    // Rows have only guessed heights until they have been in view: the first scroll may miss.
    const again = requestAnimationFrame(() => requestAnimationFrame(show))
    return () => cancelAnimationFrame(again)
  }, [props.open])
  return (
    <li ref={row} className={`fact fact-${fact.severity}`}>
      <button type="button" className="fact-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <time dateTime={new Date(fact.at).toISOString()}>{sayTime(fact.at)}</time>
        <SeverityMark severity={fact.severity} />
        <span className="fact-says">{fact.says}</span>
        <span className="fact-kind">{fact.kind}</span>
      </button>
      {open && <Details fact={fact} />}
    </li>
  )
})

function Details({ fact }: { fact: Fact }): ReactNode {
  return (
    <div className="fact-details">
      <dl>
        <Detail name="when">{sayMoment(fact.at)}</Detail>
        <Detail name="kind">
          <a href={placeOf(['timeline'], { kind: fact.kind })}>{fact.kind}</a>
        </Detail>
        {fact.subject !== null && (
          <Detail name="about">
            <a href={hrefOfSubject(fact.subject)}>{fact.subject}</a>{' '}
            <a className="soft" href={placeOf(['timeline'], { subject: fact.subject })}>
              all about it
            </a>
          </Detail>
        )}
        <Detail name="by">{fact.actor}</Detail>
        {fact.correlation !== null && (
          <Detail name="part of">
            <a href={placeOf(['timeline'], { correlation: fact.correlation })}>
              everything of this undertaking
            </a>
          </Detail>
        )}
        <Detail name="number">{fact.sequence}</Detail>
        <Detail name="hash">
          <code className="hash">{fact.hash}</code>
        </Detail>
      </dl>
      {fact.data === null ? (
        <p className="soft">The payload of this fact was erased; the chain still verifies.</p>
      ) : (
        <pre tabIndex={0} aria-label="Data">
          {JSON.stringify(fact.data, null, 2)}
        </pre>
      )}
    </div>
  )
}

function Detail({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
