import { useState, type FormEvent, type ReactNode } from 'react'
import { PageHead } from '../../parts/answer.tsx'
import { Button, Empty, Section } from '../../parts/basics.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { placeOf } from '../../router/router.ts'
import { DangerTag, type Described } from './danger-tag.tsx'
import { FieldInput } from './field-input.tsx'
import { fieldsOf, readFields, startingValues, type Field, type Written } from './fields.ts'
import { Outcome } from './outcome.tsx'
import { useRun, type Run } from './use-run.ts'

const trail = (
  <>
    <a href={placeOf(['operations'])}>Operations</a>
    <span aria-hidden="true">/</span>
  </>
)

/** A form that asks for one operation; its fields come from the operation's schema. */
export function OperationPage(props: {
  readonly name: string
  readonly operation: Described | undefined
  readonly query: URLSearchParams
}): ReactNode {
  const { name, operation } = props
  if (operation === undefined) {
    return (
      <>
        <PageHead title={name} trail={trail} answer={[{ text: 'There is no operation of that name.' }]} />
        <Empty says="See which there are:" command="holdfast operations" />
      </>
    )
  }
  return (
    <>
      <PageHead title={name} trail={trail} answer={[{ text: `${operation.summary}.` }]} />
      <p className="operation-facts">
        <DangerTag danger={operation.danger} />
        <span>for those who may {operation.permission}</span>
        <span>limit {operation.limit}</span>
        <code>holdfast call {name}</code>
      </p>
      {operation.permitted ? (
        <OperationForm operation={operation} query={props.query} />
      ) : (
        <Empty says={`You may not ask for this: it is for those who may ${operation.permission}.`} />
      )}
    </>
  )
}

function OperationForm({ operation, query }: { operation: Described; query: URLSearchParams }): ReactNode {
  const fields = fieldsOf(operation.inputSchema)
  const [written, setWritten] = useState<Written>(() => ({
    ...startingValues(fields),
    ...Object.fromEntries(query.entries()),
  }))
  const [asking, setAsking] = useState(false)
  const { run, start, stop } = useRun(operation.name)
  const reading = readFields(fields, written)
  const destroys = operation.danger === 'destroys'
  const ask = (): void => {
    setAsking(false)
    if (reading.input !== undefined) start(reading.input)
  }
  return (
    <>
      <Section title="Input">
        <Fields
          fields={fields}
          written={written}
          errors={reading.errors}
          run={run}
          action={operation.danger === 'none' ? 'Ask' : 'Show the plan'}
          onChange={setWritten}
          onSubmit={() => (operation.danger === 'none' ? ask() : setAsking(true))}
          onStop={stop}
        />
      </Section>
      <Outcome run={run} />
      {asking && (
        <Confirm
          title={operation.name}
          plan={planOf(operation, written)}
          action={destroys ? 'Destroy' : 'Do it'}
          typed={destroys ? operation.name : undefined}
          onConfirm={ask}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}

function Fields(props: {
  readonly fields: readonly Field[]
  readonly written: Written
  readonly errors: Readonly<Record<string, string>> | undefined
  readonly run: Run
  readonly action: string
  readonly onChange: (written: Written) => void
  readonly onSubmit: () => void
  readonly onStop: () => void
}): ReactNode {
  const { fields, written, run } = props
  const [tried, setTried] = useState(false)
  const refused = run.state === 'failed' ? (run.error as { path?: string; message: string }) : undefined
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
    <form className="operation-form" noValidate onSubmit={submit}>
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
        <Button look="main" type="submit" disabled={run.state === 'running'}>
          {props.action}
        </Button>
        {run.state === 'running' && <Button onClick={props.onStop}>Stop watching</Button>}
      </div>
    </form>
  )
}

function planOf(operation: Described, written: Written): readonly ReactNode[] {
  const given = Object.entries(written).filter(([, value]) => value !== '')
  const input = given.map(([name, value]) => `${name}: ${value}`).join(', ')
  return [
    `${operation.summary}${input === '' ? '' : ` (${input})`}.`,
    operation.answers === 'job'
      ? 'It becomes a job that can be followed and cancelled.'
      : 'It is done at once.',
    operation.danger === 'destroys' ? 'It cannot be undone.' : 'It is written to the timeline in your name.',
  ]
}
