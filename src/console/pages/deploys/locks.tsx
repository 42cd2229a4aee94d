import type { ReactNode } from 'react'
import type { DeployHistory } from '../../../contracts/index.ts'
import { useChange, useMay, type Change } from '../../data/changes.ts'
import { useNow } from '../../data/house.ts'
import { Button, Empty, Section } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayLocked } from '../../words/changes.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'

type Lock = DeployHistory['locks'][number]

/** Why nobody may deploy, and the way to say so. */
export function Locks(props: {
  readonly history: DeployHistory
  readonly service: string | undefined
}): ReactNode {
  const { history, service } = props
  const may = useMay('operate')
  const now = useNow(10_000)
  const change = useChange(placeOf(['timeline'], { kind: 'environment.*' }))
  const locks = history.locks.filter((lock) => service === undefined || ['*', service].includes(lock.service))
  const names = service === undefined ? ['*', ...history.releases.map((one) => one.service)] : [service]
  return (
    <Section title="Locks">
      {locks.length === 0 ? (
        <Empty says="Deploys are not locked." command='holdfast deploy lock --because "..."' />
      ) : (
        <Table
          label="Locks"
          columns={columns(now, may ? change : null)}
          rows={locks}
          rowKey={(lock) => lock.service}
        />
      )}
      {may && <LockForm names={names} change={change} />}
    </Section>
  )
}

const columns = (now: number, change: Change | null): readonly Column<Lock>[] => [
  { key: 'service', label: 'deploys of', cell: (lock) => sayLocked(lock.service) },
  { key: 'because', label: 'because', cell: ({ because }) => because },
  { key: 'by', label: 'by', cell: ({ by }) => by },
  {
    key: 'since',
    label: 'since',
    number: true,
    cell: ({ since }) => <time title={sayMoment(since)}>{sayAgo(since, now)}</time>,
  },
  {
    key: 'unlock',
    label: 'unlock',
    plain: true,
    actions: true,
    cell: (lock) => change !== null && <Unlock lock={lock} change={change} />,
  },
]

function Unlock({ lock: { service }, change }: { lock: Lock; change: Change }): ReactNode {
  const what = sayLocked(service)
  const unlock = (): void =>
    void change('environment.unlock-deploys', { service }, `Deploys of ${what} may be done again.`)
  return (
    <Button onClick={unlock} aria-label={`Unlock deploys of ${what}`}>
      Unlock
    </Button>
  )
}

function LockForm({ names, change }: { names: readonly string[]; change: Change }): ReactNode {
  const lock = async (form: FormData): Promise<void> => {
    const service = form.get('service') as string
    const because = (form.get('because') as string).trim()
    const said = `Deploys of ${sayLocked(service)} are locked: ${because}.`
    await change('environment.lock-deploys', { service, because }, said)
  }
  return (
    <form className="inline-form" action={lock} aria-label="Lock deploys">
      <label className="field">
        <span>Deploys of</span>
        <select name="service">
          {names.map((name) => (
            <option key={name} value={name}>
              {sayLocked(name)}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Because</span>
        <input
          name="because"
          required
          minLength={3}
          maxLength={500}
          placeholder="for whoever is refused"
          autoComplete="off"
        />
      </label>
      <Button type="submit">Lock deploys</Button>
    </form>
  )
}
