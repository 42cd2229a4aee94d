import { useState, type FormEvent, type ReactNode } from 'react'
import { Button } from '../../parts/basics.tsx'
import { FieldInput } from './field-input.tsx'
import type { Field, Written } from './fields.ts'

/** The form of an operation's input: it says what is wrong field by field, and submits only what can be read. */
export function InputForm(props: {
  readonly label: string
  readonly fields: readonly Field[]
  readonly written: Written
  /** What is wrong with what is written, by field; undefined: nothing. */
  readonly errors: Readonly<Record<string, string>> | undefined
  /** How control refused the last input, shown at the field that it names. */
  readonly refused?: unknown
  readonly busy: boolean
  readonly action: string
  readonly onChange: (written: Written) => void
  readonly onSubmit: () => void
  /** Stands beside the button. */
  readonly children?: ReactNode
}): ReactNode {
  const { fields, written } = props
  const [tried, setTried] = useState(false)
  const refused = props.refused as { path?: string; message: string } | undefined
  const faultOf = (field: string): string | undefined => {
    if (tried && props.errors?.[field] !== undefined) return props.errors[field]
    return refused?.path === field ? refused.message : undefined
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (props.errors === undefined) props.onSubmit()
  }
  return (
    <form className="operation-form" aria-label={props.label} noValidate onSubmit={submit}>
      {fields.length === 0 && <p className="soft">It needs no input.</p>}
      {fields.map((field) => (
        <FieldInput
          key={field.name}
          field={field}
          value={written[field.name] ?? ''}
          fault={faultOf(field.name)}
          onChange={(value) => props.onChange({ ...written, [field.name]: value })}
        />
      ))}
      <div className="form-actions">
        <Button look="main" type="submit" disabled={props.busy}>
          {props.action}
        </Button>
        {props.children}
      </div>
    </form>
  )
}
