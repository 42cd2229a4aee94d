import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Button } from './basics.tsx'

/** A modal dialog: the browser's own keeps the focus inside and closes on Escape. */
export function Dialog(props: {
  readonly label: string
  readonly className?: string
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    if (element !== null && !element.open) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={`dialog ${props.className ?? ''}`}
      aria-label={props.label}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) props.onClose()
      }}
    >
      <div className="dialog-body">{props.children}</div>
    </dialog>
  )
}

/** Shows the plan of a change before it is made; what destroys asks for its name to be typed. */
export function Confirm(props: {
  readonly title: string
  readonly plan: readonly ReactNode[]
  readonly action: string
  /** To be typed, each in a field of its own, before the button works. */
  readonly typed?: readonly string[] | undefined
  readonly onConfirm: () => void
  readonly onClose: () => void
}): ReactNode {
  const wanted = props.typed ?? []
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({})
  const ready = wanted.every((name) => typed[name] === name)
  return (
    <Dialog label={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) props.onConfirm()
        }}
      >
        <h2>{props.title}</h2>
        <ol className="plan">
          {props.plan.map((step, index) => (
            <li key={index}>{step}</li>
          ))}
        </ol>
        {wanted.map((name) => (
          <label key={name} className="field">
            <span>
              Type <code>{name}</code> to go on
            </span>
            <input
              value={typed[name] ?? ''}
              onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
              autoComplete="off"
            />
          </label>
        ))}
        <div className="dialog-actions">
          <Button onClick={props.onClose}>Leave it</Button>
          <Button look={wanted.length === 0 ? 'main' : 'danger'} type="submit" disabled={!ready}>
            {props.action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
