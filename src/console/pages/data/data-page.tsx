import type { ReactNode } from 'react'
import { usePoll } from '../../data/house.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Empty, ErrorNote, Loading, Section, type State } from '../../parts/basics.tsx'
import type { PageProps } from '../../parts/page-props.ts'
import { placeOf } from '../../router/router.ts'
import { stateOfService } from '../../words/answers.ts'
import { answerData, sayDestroy, type DatabaseView, type VolumeView } from '../../words/data.ts'
import { DatabasePage } from './database-page.tsx'
import { DatabaseTable } from './database-table.tsx'
import { VolumePage } from './volume-page.tsx'
import { VolumeTable } from './volume-table.tsx'

const trail = (
  <>
    <a href={placeOf(['data'])}>Data</a>
    <span aria-hidden="true">/</span>
  </>
)

interface KnownData {
  readonly databases: readonly DatabaseView[]
  readonly volumes: readonly VolumeView[]
}

/** Where does the data live, how much is it, and who uses it? With a kind and a name in the path: this one. */
export function DataPage({ rest }: PageProps): ReactNode {
  const [kind, name] = rest
  const databases = usePoll('environment.databases', {}, { periodMs: 5000 })
  // Every file of every volume is looked at for its size.
  const volumes = usePoll('environment.volumes', {}, { periodMs: 60_000 })
  const error = databases.error ?? volumes.error
  if (databases.data === undefined || volumes.data === undefined) {
    return (
      <>
        <PageHead title={name ?? 'Data'} answer={[{ text: 'Looking …' }]} />
        {error === undefined ? <Loading lines={6} /> : <ErrorNote error={error} />}
      </>
    )
  }
  const known = { databases: databases.data.databases, volumes: volumes.data.volumes }
  return name === undefined ? <AllData {...known} /> : <OneOf kind={kind} name={name} {...known} />
}

function OneOf(props: KnownData & { readonly kind: string | undefined; readonly name: string }): ReactNode {
  const { kind, name } = props
  if (kind === 'volume') {
    const volume = props.volumes.find((one) => one.name === name)
    return volume === undefined ? (
      <Unknown kind="volume" name={name} />
    ) : (
      <VolumePage volume={volume} trail={trail} />
    )
  }
  const database = props.databases.find((one) => one.name === name)
  return database === undefined ? (
    <Unknown kind="database" name={name} />
  ) : (
    <DatabasePage database={database} trail={trail} />
  )
}

function Unknown({ kind, name }: { kind: 'database' | 'volume'; name: string }): ReactNode {
  return (
    <>
      <PageHead title={name} trail={trail} answer={[{ text: `There is no ${kind} of that name.` }]} />
      <Empty says="See which there are:" command={`holdfast ${kind}s`} />
    </>
  )
}

function stateOf(databases: readonly DatabaseView[], volumes: readonly VolumeView[]): State {
  if (databases.length + volumes.length === 0) return 'idle'
  const states = databases.map(({ state }) => stateOfService(state))
  const worst = (['bad', 'warn', 'busy'] as const).find((state) => states.includes(state))
  return worst ?? (volumes.some(({ named }) => !named) ? 'note' : 'good')
}

function AllData({ databases, volumes }: KnownData): ReactNode {
  return (
    <>
      <PageHead title="Data" state={stateOf(databases, volumes)} answer={answerData(databases, volumes)} />
      <Section title="Databases" aside={<code className="soft">holdfast databases</code>}>
        {databases.length === 0 ? (
          <Empty
            says="The environment file names no database. Add one under “databases”, then"
            command="holdfast environment plan"
          />
        ) : (
          <DatabaseTable databases={databases} />
        )}
      </Section>
      <Section title="Volumes" aside={<code className="soft">holdfast volumes</code>}>
        {volumes.length === 0 ? (
          <Empty
            says="The environment file names no volume: a place for files that outlive replicas and releases. Add one under “volumes”, then"
            command="holdfast environment plan"
          />
        ) : (
          <VolumeTable volumes={volumes} />
        )}
      </Section>
      <p className="soft">
        Data are removed by a plan alone: take the database or volume out of the environment file, then type
        its name out when you apply, here on the page <a href={placeOf(['plan'])}>Plan</a> or by{' '}
        <code>{sayDestroy('volume …')}</code>
      </p>
    </>
  )
}
