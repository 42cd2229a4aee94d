import { environmentOperations, type DatabaseList } from '../../../contracts/environment.ts'
import { bindValue, type OperationBinding } from '../../../kernel/capability/index.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { EnvironmentView } from '../view.ts'
import type { Watch } from '../watch/index.ts'
import type { ServicesConfig } from '../config.ts'
import type { JobsConfig } from '../runs/index.ts'
import {
  isManaged,
  namesOf,
  type DatabaseConfig,
  type DatabasesConfig,
  type VariableValues,
} from './config.ts'
import type { Databases } from './databases.ts'

/** What the operation on databases stands on. */
export interface DatabaseListGround {
  readonly databases: DatabasesConfig
  readonly services: ServicesConfig
  readonly jobs: JobsConfig
  readonly room: Pick<Databases, 'addressOf' | 'shownUrlOf' | 'createdAtOf' | 'missing' | 'sizeBytes'>
  readonly watch: Pick<Watch, 'services'>
  readonly view: () => EnvironmentView
}

type One = DatabaseList['databases'][number]

function stateOf(
  { watch }: DatabaseListGround,
  name: string,
  { engine }: DatabaseConfig,
): Pick<One, 'state' | 'says'> {
  if (engine === 'sqlite') return { state: 'healthy', says: `${name} is a file` }
  const service = watch.services().find((each) => each.name === name)
  if (service === undefined) return { state: 'starting', says: `${name} was not looked at yet` }
  return { state: service.state, says: service.says }
}

/** It is well only with all that is to be in it; somebody may have taken that away since it was made. */
function withMissing(
  { state, says }: Pick<One, 'state' | 'says'>,
  name: string,
  missing: readonly string[],
): Pick<One, 'state' | 'says' | 'missing'> {
  if (state !== 'healthy' || missing.length === 0) return { state, says, missing: [] }
  const lack = `${name} is without ${missing.join(', ')}: "holdfast restart ${name}" makes it anew, empty`
  return { state: 'degraded', says: lack, missing: [...missing] }
}

/** Who finds its URL in which variable. */
function usersOf({ services, jobs }: DatabaseListGround, database: string): One['usedBy'] {
  const named = (kind: string, all: Readonly<Record<string, { readonly env: VariableValues }>>) =>
    Object.entries(all).map(([name, { env }]) => [`${kind} ${name}`, env] as const)
  return [...named('service', services), ...named('job', jobs)].flatMap(([object, env]) =>
    Object.entries(env).flatMap(([variable, value]) =>
      typeof value !== 'string' && value.database === database
        ? [{ object, variable, name: value.name ?? null }]
        : [],
    ),
  )
}

async function viewOf(ground: DatabaseListGround, name: string, config: DatabaseConfig): Promise<One> {
  const managed = isManaged(config)
  const missing = managed ? await ground.room.missing(name) : null
  return {
    name,
    engine: config.engine,
    managed,
    version: lookUp(ground.view().databases, name)?.version ?? null,
    ...withMissing(stateOf(ground, name, config), name, missing ?? []),
    address: ground.room.addressOf(name),
    url: ground.room.shownUrlOf(name),
    usedBy: usersOf(ground, name),
    createdAt: ground.room.createdAtOf(name),
    names: config.engine === 'redis' || !managed ? [] : [...namesOf(name, config)],
    sizeBytes: managed ? await ground.room.sizeBytes(name) : null,
  }
}

function sayDatabases(databases: readonly One[]): string {
  const ill = databases.filter(({ state }) => state !== 'healthy')
  if (databases.length === 0) return 'The file names no database'
  if (ill.length > 0) return ill.map(({ says }) => says).join('; ')
  return databases.length === 1 ? 'The database is well' : `All ${databases.length} databases are well`
}

/** Binds what is said about databases to its code. */
export function bindDatabases(ground: DatabaseListGround): readonly OperationBinding[] {
  return [
    bindValue(environmentOperations.databases, async () => {
      const all = Object.entries(ground.databases)
      const databases = await Promise.all(all.map(([name, config]) => viewOf(ground, name, config)))
      return { says: sayDatabases(databases), databases }
    }),
  ]
}
