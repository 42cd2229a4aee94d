import { useId, type ReactNode } from 'react'
import type { Field } from './fields.ts'

interface FieldProps {
  readonly field: Field
  readonly value: string
  readonly fault: string | undefined
  readonly onChange: (value: string) => void
}

/** A field with its name, what it means, and what is wrong with what is written in it. */
export function FieldInput(props: FieldProps): ReactNode {
  const id = useId()
  const { field, fault } = props
  const hint = [field.schema.description, boundsOf(field)].filter(Boolean).join('; ')
  return (
    <div className={`field field-${field.look}`}>
      <label htmlFor={id}>
        {field.name}
        {field.required && <span className="soft"> needed</span>}
      </label>
      <Control
        {...props}
        id={id}
        describedBy={fault === undefined ? `${id}-hint` : `${id}-fault ${id}-hint`}
      />
      {fault !== undefined && (
        <p id={`${id}-fault`} className="fault" role="alert">
          {field.name} {fault}
        </p>
      )}
      <p id={`${id}-hint`} className="soft">
        {hint}
      </p>
    </div>
  )
}

function boundsOf({ schema }: Field): string {
  const { minimum, maximum } = schema
  if (minimum === undefined || maximum === undefined || maximum > 1e15) return ''
  return `${minimum} to ${maximum}`
}

function Control(props: FieldProps & { readonly id: string; readonly describedBy: string }): ReactNode {
  const { field, value, onChange } = props
  const common = {
    id: props.id,
    name: field.name,
    'aria-describedby': props.describedBy,
    'aria-invalid': props.fault !== undefined,
    'aria-required': field.required,
  }
  if (field.look === 'switch') {
    return (
      <input
        {...common}
        type="checkbox"
        checked={value === 'true'}
        onChange={(event) => onChange(event.target.checked ? 'true' : '')}
      />
    )
  }
  const written = {
    ...common,
    value,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  }
  if (field.look === 'choice') {
    return (
      <select {...written}>
        <option value="">{field.required ? 'choose' : 'any'}</option>
        {field.schema.enum?.map((one) => (
          <option key={String(one)}>{String(one)}</option>
        ))}
      </select>
    )
  }
  if (field.look === 'json') return <textarea {...written} rows={3} spellCheck={false} placeholder="{ }" />
  const type = field.look === 'moment' ? 'datetime-local' : 'text'
  return (
    <input
      {...written}
      type={type}
      inputMode={field.look === 'number' ? 'numeric' : undefined}
      autoComplete="off"
      spellCheck={false}
    />
  )
}
