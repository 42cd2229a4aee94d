import { useState, type ReactNode } from 'react'
import { PageHead } from '../../parts/answer.tsx'
import { Button, Empty, Section } from '../../parts/basics.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { placeOf } from '../../router/router.ts'
import { FieldInput } from './field-input.tsx'
import { fieldsOf, readFields, startingValues, type FieldSchema, type Written } from './fields.ts'
import { DangerTag, type Described } from './operations-page.tsx'
import { Outcome } from './outcome.tsx'
import { useRun } from './use-run.ts'

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
  const fields = fieldsOf(operation.inputSchema as FieldSchema)
  const [written, setWritten] = useState<Written>(() => ({
    ...startingValues(fields),
    ...Object.fromEntries(query.entries()),
  }))
  const [tried, setTried] = useState(false)
  const [asking, setAsking] = useState(false)
  const { run, start, stop } = useRun(operation.name)
  const reading = readFields(fields, written)
  const remote = run.state === 'failed' ? (run.error as { path?: string; message: string }) : undefined
  const faultOf = (field: string): string | undefined => {
    if (remote?.path === field) return remote.message
    return tried ? reading.errors?.[field] : undefined
  }
  const ask = (): void => {
    setAsking(false)
    if (reading.input !== undefined) start(reading.input)
  }
  const submit = (): void => {
    setTried(true)
    if (reading.errors !== undefined) return
    if (operation.danger === 'none') ask()
    else setAsking(true)
  }
  return (
    <>
      <Section title="Input">
        <form
          className="operation-form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            submit()
          }}
        >
          {fields.length === 0 && <p className="soft">It needs no input.</p>}
          {fields.map((field) => (
            <FieldInput
              key={field.name}
              field={field}
              value={written[field.name] ?? ''}
              fault={faultOf(field.name)}
              onChange={(value) => setWritten({ ...written, [field.name]: value })}
            />
          ))}
          <div className="form-actions">
            <Button look="main" type="submit" disabled={run.state === 'running'}>
              {operation.danger === 'none' ? 'Ask' : 'Plan …'}
            </Button>
            {run.state === 'running' && <Button onClick={stop}>Stop watching</Button>}
          </div>
        </form>
      </Section>
      <Outcome run={run} />
      {asking && (
        <Confirm
          title={operation.name}
          plan={planOf(operation, written)}
          action={operation.danger === 'destroys' ? 'Destroy' : 'Do it'}
          typed={operation.danger === 'destroys' ? operation.name : undefined}
          onConfirm={ask}
          onClose={() => setAsking(false)}
        />
      )}
    </>
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
