import { useState, type ReactNode } from 'react'
import { PageHead } from '../../parts/answer.tsx'
import { Button, Empty, Section } from '../../parts/basics.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { placeOf } from '../../router/router.ts'
import { DangerTag, type Described } from './danger-tag.tsx'
import { fieldsOf, readFields, startingValues, type Written } from './fields.ts'
import { InputForm } from './input-form.tsx'
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
        <InputForm
          label={operation.name}
          fields={fields}
          written={written}
          errors={reading.errors}
          refused={run.state === 'failed' ? run.error : undefined}
          busy={run.state === 'running'}
          action={operation.danger === 'none' ? 'Ask' : 'Show the plan'}
          onChange={setWritten}
          onSubmit={() => (operation.danger === 'none' ? ask() : setAsking(true))}
        >
          {run.state === 'running' && <Button onClick={stop}>Stop watching</Button>}
        </InputForm>
      </Section>
      <Outcome run={run} />
      {asking && (
        <Confirm
          title={operation.name}
          plan={planOf(operation, written)}
          action={destroys ? 'Destroy' : 'Do it'}
          typed={destroys ? [operation.name] : undefined}
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
