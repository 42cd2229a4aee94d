import type { ComponentProps, ReactNode } from 'react'
import { Icon, type IconName } from './icons.tsx'

/** A state of the world; each has its own shape and word beside its colour. */
export type State = 'good' | 'busy' | 'warn' | 'bad' | 'note' | 'idle'

const shapes: Readonly<Record<State, ReactNode>> = {
  good: <circle cx="6" cy="6" r="4.500" fill="currentColor" />,
  busy: (
    <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="14 12" />
  ),
  warn: <path d="M6 1.200 11.400 10.800H.6Z" fill="currentColor" />,
  bad: <path d="M3.700.7h4.600l3 3v4.600l-3 3H3.700l-3-3V3.700Z" fill="currentColor" />,
  note: <path d="M6 1.500 10.500 6 6 10.500 1.500 6Z" fill="currentColor" />,
  idle: <circle cx="6" cy="6" r="3.750" fill="none" stroke="currentColor" strokeWidth="1.500" />,
}

/** The mark of a state; say the state in words beside it, or give `label`. */
export function StateMark({ state, label }: { state: State; label?: string }): ReactNode {
  return (
    <svg
      className={`mark mark-${state}`}
      viewBox="0 0 12 12"
      {...(label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
    >
      {shapes[state]}
    </svg>
  )
}

/** A state in words with its mark. */
export function StateWord({ state, children }: { state: State; children: ReactNode }): ReactNode {
  return (
    <span className={`state state-${state}`}>
      <StateMark state={state} />
      {children}
    </span>
  )
}

type ButtonLook = 'quiet' | 'main' | 'danger' | 'bare'

/** A button; `bare` has no border until it is touched. */
export function Button({
  look = 'quiet',
  icon,
  children,
  ...rest
}: ComponentProps<'button'> & { look?: ButtonLook; icon?: IconName }): ReactNode {
  return (
    <button type="button" {...rest} className={`button button-${look} ${rest.className ?? ''}`}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A place where there is nothing yet: says so, and names the next command. */
export function Empty({ says, command }: { says: ReactNode; command?: string }): ReactNode {
  return (
    <div className="empty">
      <p>{says}</p>
      {command !== undefined && (
        <p>
          <code>{command}</code>
        </p>
      )}
    </div>
  )
}

/** An error with its code and what mends it. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }): ReactNode {
  const { message, code, hint } = error as { message?: string; code?: string; hint?: string | null }
  return (
    <div className="error-note" role="alert">
      <StateMark state="bad" />
      <div>
        <p>{message ?? 'Something went wrong.'}</p>
        {hint !== undefined && hint !== null && <p className="soft">{hint}</p>}
        {code !== undefined && <code className="soft">{code}</code>}
      </div>
      {retry !== undefined && <Button onClick={retry}>Try again</Button>}
    </div>
  )
}

/** A choice of a few, side by side. */
export function Segmented<Value extends string>(props: {
  readonly label: string
  readonly options: readonly { readonly value: Value; readonly label: string }[]
  readonly value: Value
  readonly onChange: (value: Value) => void
}): ReactNode {
  return (
    <div className="segmented" role="group" aria-label={props.label}>
      {props.options.map(({ value, label }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {label}
        </button>
      ))}
    </div>
  )
}

/** A part of a page with its heading, and what may be done with it at the right. */
export function Section(props: {
  readonly title: string
  readonly aside?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}): ReactNode {
  return (
    <section className={`section ${props.className ?? ''}`} aria-label={props.title}>
      <header className="section-head">
        <h2>{props.title}</h2>
        <div className="section-aside">{props.aside}</div>
      </header>
      {props.children}
    </section>
  )
}

/** A short line of values without axes; decoration for the number beside it, so hidden from screen readers. */
export function Spark({ values }: { values: readonly (number | null)[] }): ReactNode {
  const known = values.map((value) => value ?? 0)
  const most = Math.max(...known, 1e-9)
  const step = 96 / Math.max(1, known.length - 1)
  const points = known.map(
    (value, index) => `${(index * step).toFixed(1)},${(18 - (value / most) * 16).toFixed(1)}`,
  )
  return (
    <svg className="spark" viewBox="0 0 96 20" preserveAspectRatio="none" aria-hidden="true">
      {known.length > 1 && <polyline points={points.join(' ')} />}
    </svg>
  )
}

/** A share of 0 to 1 as a thin bar; say the number beside it. */
export function Meter({ share, tone = 'lead' }: { share: number; tone?: 'lead' | 'bite' }): ReactNode {
  return (
    <svg className={`meter meter-${tone}`} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect className="meter-track" width="100" height="4" />
      <rect className="meter-fill" width={Math.max(0, Math.min(1, share)) * 100} height="4" />
    </svg>
  )
}

/** A place holder of the height of what is to come. */
export function Loading({ lines = 3 }: { lines?: number }): ReactNode {
  return (
    <div className="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  )
}
