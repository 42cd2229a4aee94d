import { resolve } from 'node:path'
import type { JsonObject } from '../../kernel/std/index.ts'
import {
  findFile,
  findDoubts,
  findTroubles,
  loadEnvironment,
  problemError,
  type LoadedEnvironment,
} from '../../server/composition/index.ts'
import type { Surroundings } from '../commands/command.ts'
import { plural } from '../output/index.ts'

type Service = LoadedEnvironment['environment']['services'][string]

function sayService(name: string, { command, address, replicas }: Service): string {
  if (command === undefined) return `${name} (at ${address ?? ''})`
  return `${name} (${command.join(' ')}${replicas.min > 1 ? `, ${replicas.min} replicas` : ''})`
}

/** What an environment file comes to, for people in a paragraph and for programs in numbers. */
export function summarise({ environment }: LoadedEnvironment): {
  readonly says: string
  readonly data: JsonObject
} {
  const { name, services, edge, control } = environment
  const routes = Object.values(edge.routes)
  const limits = routes.flatMap((route) =>
    'limit' in route && route.limit !== undefined ? [route.limit].flat() : [],
  )
  const unlimited = routes.filter((route) => 'unlimited' in route && route.unlimited !== undefined).length
  const listens = edge.listen.map(
    ({ host, port, tls }) => `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
  )
  const waived =
    unlimited === 0 ? '' : ` ${plural(unlimited, 'route is', 'routes are')} unlimited by a waiver.`
  const runs = Object.entries(services).map(([service, config]) => sayService(service, config))
  return {
    says:
      `Environment ${name} has ${plural(runs.length, 'service')}: ${runs.join(', ')}. ` +
      `The edge listens on ${listens.join(' and ')} and has ${plural(routes.length, 'route')} with ` +
      `${plural(limits.length, 'limit')}; control listens on ${control.host}:${control.port}.${waived}`,
    data: {
      name,
      services: Object.keys(services),
      routes: Object.keys(edge.routes),
      limits: limits.length,
      listen: listens,
    },
  }
}

/**
 * `holdfast check [file]`: reads and checks an environment file, and whether its programs, variables and certificates
 * are there. Touches nothing. Resolves to the exit code.
 */
export async function check(
  named: string | undefined,
  { voice, directions, variables }: Surroundings,
): Promise<number> {
  const { directory, config } = directions
  const given = named ?? config
  const file = given === undefined ? await findFile(directory) : resolve(directory, given)
  const loaded = await loadEnvironment(file)
  const troubles = await findTroubles(loaded, variables)
  if (troubles.length > 0) throw problemError(troubles)
  const { says, data } = summarise(loaded)
  const doubts = findDoubts(loaded).map(({ path, message, hint }) => ({ path, message, hint }))
  const { paper } = voice
  if (voice.json) voice.document({ ok: true, file: loaded.file, hash: loaded.hash, ...data, doubts })
  else {
    const lines = doubts.map(
      ({ path, message, hint }) => `${paper.paint('warning', 'warning')} ${path}: ${message}; ${hint}`,
    )
    voice.say([`${paper.paint('good', 'ok')} ${loaded.file}`, says, ...lines])
  }
  return 0
}
