import type { ReactNode } from 'react'
import { useNow } from '../../data/house.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Section } from '../../parts/basics.tsx'
import { Happened } from '../../parts/facts.tsx'
import { Known, type KnownLine } from '../../parts/known.tsx'
import { placeOf } from '../../router/router.ts'
import { stateOfService } from '../../words/answers.ts'
import { listOf, sayDestroy, sayEngine, type DatabaseView } from '../../words/data.ts'
import { sayAgo, sayBytes, sayMoment } from '../../words/format.ts'
import { User } from './users.tsx'

/** How is this database: where it is, what is in it, who uses it, what happened to it. */
export function DatabasePage({ database, trail }: { database: DatabaseView; trail: ReactNode }): ReactNode {
  const now = useNow(1000)
  const { name, state, says, engine, managed } = database
  return (
    <>
      <PageHead
        title={name}
        trail={trail}
        state={stateOfService(state)}
        answer={[{ text: `${says.replace(/\.?$/, '.')} ${sayUse(database)}` }]}
        actions={managed && engine !== 'sqlite' && <a href={placeOf(['services', name])}>Process and log</a>}
      />
      <Section title="What is known of it">
        <Known lines={linesOf(database, now)} />
      </Section>
      <Happened subject={`service:${name}`} />
    </>
  )
}

function sayUse({ usedBy }: DatabaseView): string {
  const objects = [...new Set(usedBy.map(({ object }) => object.replace(/^service /, '')))]
  if (objects.length === 0) return 'Nothing in the file uses it.'
  return `${listOf(objects)} ${objects.length === 1 ? 'uses' : 'use'} it.`
}

function linesOf(database: DatabaseView, now: number): readonly KnownLine[] {
  const { managed, names, createdAt, sizeBytes, url, usedBy } = database
  return [
    ['Engine', `${sayEngine(database)}, ${managed ? 'run by Holdfast' : 'run by others'}`],
    ['At', <code key="at">{database.address}</code>],
    ['URL', url === '' ? 'not known' : <code key="url">{url}</code>],
    ['Password', <Password key="password" database={database} />],
    ...(names.length === 0 ? [] : [['In it', names.join(', ')] as const]),
    ['Used by', <Variables key="users" usedBy={usedBy} />],
    ...(managed ? [['On disk', sayBytes(sizeBytes)] as const] : []),
    ...(createdAt === null ? [] : [['Made', <Made key="made" at={createdAt} now={now} />] as const]),
    ...(managed ? [['To remove it', <Removal key="removal" name={database.name} />] as const] : []),
  ]
}

function Made({ at, now }: { at: number; now: number }): ReactNode {
  return (
    <time dateTime={new Date(at).toISOString()}>
      {sayMoment(at)}, {sayAgo(at, now)}
    </time>
  )
}

/** Holdfast answers no password; where it is to be had. */
function Password({ database: { name, engine, managed, usedBy } }: { database: DatabaseView }): ReactNode {
  if (engine === 'sqlite') return 'none: who may read the file may read the database'
  if (!managed) return 'as the environment file, or the variable that it names, has it'
  const [first] = usedBy
  return (
    <>
      Services find the whole URL in their variables{first !== undefined && <>, as {first.variable}</>}. By
      hand: <code>&lt;data directory&gt;/databases/{name}/record.json</code>, which only the user of Holdfast
      may read.
    </>
  )
}

function Variables({ usedBy }: Pick<DatabaseView, 'usedBy'>): ReactNode {
  if (usedBy.length === 0) return <>nobody: refer to it in a variable, as {'{ database: … }'}</>
  return (
    <ul>
      {usedBy.map(({ object, variable, name }) => (
        <li key={`${object} ${variable}`}>
          <User object={object} /> in <code>{variable}</code>
          {name !== null && <> ({name})</>}
        </li>
      ))}
    </ul>
  )
}

function Removal({ name }: { name: string }): ReactNode {
  return (
    <>
      take it out of the file, then <code>{sayDestroy(`database ${name}`)}</code>
    </>
  )
}
