import type { ReactNode } from 'react'
import type { EnvironmentStatus } from '../../../contracts/index.ts'
import { Spark, StateWord } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayReplica, stateOfReplica } from '../../words/answers.ts'
import { sayGroup } from '../../words/changes.ts'
import { sayBytes, sayCount, sayCpu, sayFor } from '../../words/format.ts'

type Service = EnvironmentStatus['services'][number]
type Replica = Service['replicas'][number]

/** The last values of CPU and memory by replica. */
export interface ReplicaValues {
  readonly cpu: (id: string) => readonly number[]
  readonly memory: (id: string) => readonly number[]
}

const slotOf = (id: string): string => id.split('/')[1] ?? ''

/** A replica's name, which leads to its log, and what tells it from those of another group. */
function Name({ service, replica }: { service: Service; replica: Replica }): ReactNode {
  const { id } = replica
  const logs = placeOf(['services', service.name], { replica: slotOf(id) })
  return (
    <>
      {service.command === null ? id : <a href={logs}>{id}</a>}{' '}
      <span className="soft">{sayGroup(replica, service.replicas)}</span>
    </>
  )
}

/** What answers at the address of a database does not speak HTTP. */
const sayAddress = ({ database }: Service, address: string | null): string | undefined =>
  (database === undefined ? address : address?.replace(/^http:\/\//, '')) ?? undefined

function columns(service: Service, values: ReplicaValues, now: number): readonly Column<Replica>[] {
  return [
    {
      key: 'id',
      label: 'replica',
      cell: (replica) => <Name service={service} replica={replica} />,
    },
    {
      key: 'state',
      label: 'state',
      plain: true,
      cell: (replica) => <StateWord state={stateOfReplica(replica)}>{sayReplica(replica)}</StateWord>,
    },
    {
      key: 'up',
      label: 'up for',
      number: true,
      cell: ({ startedAt }) => (startedAt === null ? '–' : sayFor(startedAt, now)),
    },
    { key: 'restarts', label: 'restarts', number: true, cell: ({ restarts }) => sayCount(restarts) },
    {
      key: 'cpu',
      label: 'CPU',
      number: true,
      cell: ({ id, cpu }) => (
        <span className="with-spark">
          <Spark values={values.cpu(id)} />
          <span>{sayCpu(cpu)}</span>
        </span>
      ),
    },
    {
      key: 'memory',
      label: 'memory',
      number: true,
      cell: ({ id, memoryBytes }) => (
        <span className="with-spark">
          <Spark values={values.memory(id)} />
          <span>{sayBytes(memoryBytes)}</span>
        </span>
      ),
    },
    {
      key: 'address',
      label: 'address',
      number: true,
      wide: true,
      cell: ({ address, pid }) => (
        <span title={pid === null ? undefined : `pid ${pid}`}>
          {sayAddress(service, address) ?? (pid === null ? '–' : `pid ${pid}`)}
        </span>
      ),
    },
  ]
}

/** The replicas of a service with their use of the machine. */
export function ReplicaTable(props: {
  readonly service: Service
  readonly values: ReplicaValues
  readonly now: number
}): ReactNode {
  return (
    <Table
      className="replicas"
      label={`Replicas of ${props.service.name}`}
      columns={columns(props.service, props.values, props.now)}
      rows={props.service.replicas}
      rowKey={({ id }) => id}
    />
  )
}
