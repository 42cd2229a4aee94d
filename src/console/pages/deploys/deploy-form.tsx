import { useState, type ReactNode } from 'react'
import type { DeployHistory } from '../../../contracts/index.ts'
import { useJob } from '../../data/jobs.ts'
import { usePoll } from '../../data/house.ts'
import { Section } from '../../parts/basics.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Progress } from '../../parts/progress.tsx'
import { placeOf } from '../../router/router.ts'
import { planOfDeploy } from '../../words/changes.ts'
import { fieldsOf, readFields, startingValues, type Field, type Written } from '../operations/fields.ts'
import { InputForm } from '../operations/input-form.tsx'

/** Asks for a deploy; its fields come from the operation's schema, and the services that there are may be chosen. */
export function DeployForm(props: {
  readonly history: DeployHistory
  readonly service: string | undefined
}): ReactNode {
  const { history, service } = props
  const described = usePoll('operations.list', {}, { periodMs: 60_000 }).data?.operations
  const deploy = described?.find(({ name }) => name === 'environment.deploy')
  const names = history.releases.map((one) => one.service)
  if (deploy === undefined || !deploy.permitted || names.length === 0) return null
  const fields = fieldsOf(deploy.inputSchema).map((field) =>
    field.name === 'service' ? chosenFrom(field, names) : field,
  )
  const shown = service === undefined ? fields : fields.filter(({ name }) => name !== 'service')
  const start = { ...startingValues(fields), service: service ?? names[0] ?? '' }
  return <FilledForm fields={shown} start={start} history={history} />
}

const chosenFrom = (field: Field, names: readonly string[]): Field => ({
  ...field,
  look: 'choice',
  schema: { ...field.schema, enum: names },
})

type Asked = Parameters<ReturnType<typeof useJob<'environment.deploy'>>['start']>[0]

function FilledForm(props: {
  readonly fields: readonly Field[]
  readonly start: Written
  readonly history: DeployHistory
}): ReactNode {
  const [written, setWritten] = useState(props.start)
  const [asking, setAsking] = useState(false)
  const { service = '', version = '', from = '' } = written
  const { job, start } = useJob('environment.deploy', {
    done: ({ says }) => `${says}.`,
    failed: `${version} was not deployed`,
    href: placeOf(['timeline'], { subject: `service:${service}` }),
  })
  const reading = readFields(props.fields, written)
  const { running = '' } = props.history.releases.find((one) => one.service === service) ?? {}
  const confirm = (): void => {
    setAsking(false)
    if (reading.input !== undefined) start({ ...reading.input, service } as Asked)
  }
  return (
    <Section title="Deploy a release" aside={<code className="soft">holdfast deploy</code>}>
      <InputForm
        label="Deploy a release"
        fields={props.fields}
        written={written}
        errors={reading.errors}
        busy={job !== null}
        action="Show the plan"
        onChange={setWritten}
        onSubmit={() => setAsking(true)}
      >
        {job !== null && <Progress job={job} />}
      </InputForm>
      {asking && (
        <Confirm
          title={`Deploy ${version} of ${service}`}
          plan={planOfDeploy({ service, version, from, running })}
          action="Deploy"
          onConfirm={confirm}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  )
}
