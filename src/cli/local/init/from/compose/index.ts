import { relative, join, basename, dirname } from 'node:path'
import { nameFrom } from '../../answers.ts'
import type { Draft, Drafted, Note } from '../draft.ts'
import { notImportable } from '../refuse.ts'
import { leftoversOfFile } from './leftovers.ts'
import { lookAroundCompose } from './place.ts'
import type { PublishedPort } from './ports.ts'
import { readCompose } from './read.ts'
import { translate, type Translated } from './service.ts'

interface Found {
  readonly service: Drafted
  readonly published: readonly PublishedPort[]
}

/** Two containers may listen on the same port, two programs of one machine may not; nor may several replicas. */
function settlePorts(all: readonly Found[]): {
  readonly services: readonly Drafted[]
  readonly notes: readonly Note[]
} {
  const taken = new Set<number>()
  const notes: Note[] = []
  const services = all.map(({ service }) => {
    const { port, replicas, name } = service
    if (port === null) return service
    const why =
      replicas !== null ? 'several replicas cannot' : taken.has(port) ? 'another service does' : null
    if (why === null) {
      taken.add(port)
      return service
    }
    notes.push({
      about: `services.${name}.ports`,
      says: `it cannot listen on ${port}, ${why}: let it read PORT`,
    })
    return { ...service, port: null }
  })
  return { services, notes }
}

const frontNames = ['web', 'app', 'frontend', 'www', 'site', 'server', 'api', 'backend']

const rank = ({ service }: Found): number => {
  const at = frontNames.indexOf(service.name)
  return at < 0 ? frontNames.length : at
}

/** Who is in front: the likeliest by name of those that were published, or, behind a proxy, of those that listen. */
function findFront(all: readonly Found[]): {
  readonly front: Found | undefined
  readonly others: readonly Found[]
} {
  const listening = all.filter(({ service }) => service.listens)
  const published = listening.filter((each) => each.published.length > 0)
  const [front] = [...(published.length > 0 ? published : listening)].sort((a, b) => rank(a) - rank(b))
  return { front, others: published.filter((each) => each !== front) }
}

function edgePortOf(front: Found | undefined, services: readonly Drafted[]): number {
  const fixed = new Set(services.map(({ port }) => port))
  const candidates = [front?.published[0]?.outside ?? 8080, 8080, 8081, 8082, 8083]
  return candidates.find((port) => port >= 1024 && !fixed.has(port)) ?? 8080
}

function edgePortNotes(front: Found | undefined, edgePort: number): readonly Note[] {
  const outside = front?.published[0]?.outside ?? edgePort
  return outside === edgePort
    ? []
    : [
        {
          about: `services.${front?.service.name ?? ''}.ports`,
          says: `it was published on ${outside}; the edge listens on ${edgePort}: change "listen" if it may have that port`,
        },
      ]
}

function refuseNothing(source: string, notes: readonly Note[]): never {
  throw notImportable(
    `${source} names nothing that Holdfast could run as a program`,
    notes.map(({ about, says }) => `${about}: ${says}`).join('\n  '),
  )
}

function uniqueNames(names: readonly string[]): void {
  const twice = names.find(
    (name, index) => names.findIndex((other) => nameFrom(other) === nameFrom(name)) !== index,
  )
  if (twice === undefined) return
  throw notImportable(
    `two services become "${nameFrom(twice)}" when their names are written in lower-case letters, digits and dashes`,
    'rename one of them in the Compose file',
  )
}

function routesOf({ front, others }: ReturnType<typeof findFront>): {
  readonly routes: Draft['routes']
  readonly notes: readonly Note[]
} {
  const hosts = others.map(({ service: { name } }) => ({ pattern: `${name}.localhost/*`, to: name }))
  const notes = hosts.map(({ pattern, to }) => ({
    about: `services.${to}.ports`,
    says: `one edge serves all: ${to} answers under the host of the route "${pattern}", which is yours to name`,
  }))
  return {
    routes: [...(front === undefined ? [] : [{ pattern: '/*', to: front.service.name }]), ...hosts],
    notes,
  }
}

/**
 * Makes a draft of a Compose file (absolute path) for an environment file in the directory `base`.
 * Errors: `cli.not-importable`.
 */
export async function draftOfCompose(text: string, file: string, base: string): Promise<Draft> {
  const source = relative(base, file) || basename(file)
  const place = await lookAroundCompose(file, base)
  const { file: compose, notes: readingNotes } = await readCompose(text, source, place.dotEnv)
  const names = Object.keys(compose.services)
  uniqueNames(names)
  const translated: Translated[] = []
  for (const [name, service] of Object.entries(compose.services)) {
    const others = names.filter((other) => other !== name)
    translated.push(await translate(name, service, { path: `services.${name}`, place, names: others }))
  }
  const found = translated.flatMap(({ service, published }) =>
    service === null ? [] : [{ service, published }],
  )
  const notes = [...readingNotes, ...translated.flatMap((each) => each.notes), ...leftoversOfFile(compose)]
  if (found.length === 0) refuseNothing(source, notes)
  const settled = settlePorts(found)
  const front = findFront(found)
  const routed = routesOf(front)
  const edgePort = edgePortOf(front.front, settled.services)
  return {
    name: nameFrom(compose.name ?? basename(dirname(file))),
    source,
    services: settled.services,
    databases: translated.flatMap(({ database }) => (database === null ? [] : [database])),
    routes: routed.routes,
    edgePort,
    dotEnv: relative(base, join(place.directory, '.env')),
    notes: [...notes, ...settled.notes, ...edgePortNotes(front.front, edgePort), ...routed.notes],
  }
}
