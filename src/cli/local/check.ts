import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { HoldfastError, type JsonObject } from '../../kernel/std/index.ts'
import { uncoveredInOpenApi } from '../../limit/index.ts'
import {
  findFile,
  findDoubts,
  findTroubles,
  loadEnvironment,
  problemError,
  storeVersions,
  type LoadedEnvironment,
} from '../../server/composition/index.ts'
import type { Surroundings } from '../commands/command.ts'
import { readVersion } from '../version.ts'
import { plural } from '../output/index.ts'

type Service = LoadedEnvironment['environment']['services'][string]

function sayService(
  name: string,
  { command, image = 'as its image says', address, replicas }: Service,
): string {
  if (address !== undefined) return `${name} (at ${address})`
  return `${name} (${command?.join(' ') ?? image}${replicas.min > 1 ? `, ${replicas.min} replicas` : ''})`
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

/** What is to be checked; undefined: the nearest file, and no document. */
export interface Checked {
  readonly file: string | undefined
  /** An OpenAPI document of the application behind the edge. */
  readonly openapi: string | undefined
}

/**
 * `holdfast check [file]`: reads and checks an environment file, and whether its programs, variables and certificates
 * are there; with `--openapi`, whether the edge has a route of its own for each of the application's. Touches nothing.
 * Resolves to the exit code.
 */
export async function check(
  { file: named, openapi }: Checked,
  { voice, directions, variables }: Surroundings,
): Promise<number> {
  const { directory, config } = directions
  const given = named ?? config
  const file = given === undefined ? await findFile(directory) : resolve(directory, given)
  const loaded = await loadEnvironment(file)
  const troubles = await findTroubles(loaded, variables)
  if (troubles.length > 0) throw problemError(troubles)
  const { says, data } = summarise(loaded)
  const doubts = (await findDoubts(loaded)).map(({ path, message, hint }) => ({ path, message, hint }))
  const bare = openapi === undefined ? [] : await findUncovered(loaded, resolve(directory, openapi))
  const uncovered = openapi === undefined ? {} : { uncovered: bare }
  if (voice.json)
    voice.document({
      ok: bare.length === 0,
      file: loaded.file,
      hash: loaded.hash,
      version: readVersion(),
      stores: { ...storeVersions },
      ...data,
      doubts,
      ...uncovered,
    })
  else {
    const { paper } = voice
    const doubtful = doubts.map(
      ({ path, message, hint }) => `${paper.paint('warning', 'warning')} ${path}: ${message}; ${hint}`,
    )
    voice.say([
      `${paper.paint('good', 'ok')} ${loaded.file}`,
      says,
      ...doubtful,
      ...sayUncovered(bare, openapi),
    ])
  }
  return bare.length === 0 ? 0 : 1
}

/** The routes of an OpenAPI document that only a catch-all of the edge covers, or nothing. */
async function findUncovered({ environment }: LoadedEnvironment, path: string): Promise<readonly string[]> {
  return uncoveredInOpenApi(await readDocument(path), Object.keys(environment.edge.routes))
}

async function readDocument(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new HoldfastError({
      code: 'cli.no-file',
      kind: 'user',
      message: `The OpenAPI document ${path} cannot be read as JSON.`,
      hint: 'Save what the application publishes, as "curl http://127.0.0.1:3000/openapi.json > openapi.json".',
      cause,
    })
  }
}

function sayUncovered(bare: readonly string[], openapi: string | undefined): readonly string[] {
  if (openapi === undefined) return []
  if (bare.length === 0) return [`The edge has a route of its own for everything in ${openapi}.`]
  return [
    `The edge has no route of its own, and so no limit of its own, for ${plural(bare.length, 'route')} of ${openapi}:`,
    ...bare.map((route) => `  ${route}`),
  ]
}
