import { join, relative, resolve } from 'node:path'
import { nameFrom } from '../../answers.ts'
import { joinCommand, splitCommand } from '../../command-line.ts'
import { lookAround } from '../../folder.ts'
import { databaseNotes, databaseOf, parseImage } from '../databases.ts'
import type { DraftDatabase, Drafted, Note } from '../draft.ts'
import { localCommand, localPath, mountsOf, writtenCommand } from './command.ts'
import type { ComposePart } from './config.ts'
import { readDockerfile, type Dockerfile } from './dockerfile.ts'
import { readEnvironment } from './environment.ts'
import { leftoversOf, sayLostKeys } from './leftovers.ts'
import { measuresOf } from './measures.ts'
import { loopbackNotes, noProgram, portNotes, surroundingNotes, volumeNotes } from './notes.ts'
import type { Place } from './place.ts'
import { healthPathOf, publishedPorts, type PublishedPort } from './ports.ts'

/** What became of one service of a Compose file. */
export interface Translated {
  /** Null: nothing that Holdfast could run. */
  readonly service: Drafted | null
  readonly database: DraftDatabase | null
  readonly published: readonly PublishedPort[]
  readonly notes: readonly Note[]
}

/** What a service is read in. */
export interface Setting {
  /** Path in the file, as `services.web`. */
  readonly path: string
  readonly place: Place
  /** Names of the other services. */
  readonly names: readonly string[]
}

const runtimes =
  /^(?:node|python|pypy|ruby|golang|php|bun|deno|openjdk|eclipse-temurin|amazoncorretto|elixir|erlang|perl|rust|sdk|aspnet|runtime)$/
interface Build {
  /** Absolute; null: it is not built here. */
  readonly context: string | null
  readonly dockerfile: Dockerfile | null
}

async function readBuild({ build }: ComposePart, { directory, read }: Place): Promise<Build> {
  if (build === undefined) return { context: null, dockerfile: null }
  const context = resolve(directory, build.context ?? '.')
  const text = await read(join(context, build.dockerfile ?? 'Dockerfile'))
  return { context, dockerfile: text === null ? null : readDockerfile(text, build.target) }
}

interface Program {
  readonly command: readonly string[]
  /** Absolute. */
  readonly directory: string
  readonly notes: readonly Note[]
}

/** Volumes as somebody reads of them: below the environment file by the path from there. */
function relativeTo(
  base: string,
  { mounts, named }: ReturnType<typeof mountsOf>,
): ReturnType<typeof mountsOf> {
  const say = (source: string): string => {
    const path = relative(base, source) || '.'
    return path.startsWith('..') ? source : path
  }
  return { mounts: mounts.map((mount) => ({ ...mount, source: say(mount.source) })), named }
}

/** What the folder of a service suggests, as `init` would for it alone. */
async function suggestedProgram(directory: string, path: string): Promise<Program | null> {
  const suggestion = await lookAround(directory).catch(() => null)
  if (suggestion === null || suggestion.command === null) return null
  const command = splitCommand(suggestion.command)
  const says = `no command is said: "${joinCommand(command)}" is taken, since ${suggestion.because}`
  return { command, directory, notes: [{ about: path, says }] }
}

function isProgram(service: ComposePart, written: readonly string[]): boolean {
  return (
    service.build !== undefined || (runtimes.test(parseImage(service.image ?? '').name) && written.length > 0)
  )
}

/** What starts a service: compose, its Dockerfile, or what its folder suggests; null: nothing does. */
async function programOf(service: ComposePart, build: Build, setting: Setting): Promise<Program | null> {
  const { context, dockerfile } = build
  const { path, place } = setting
  const written = writtenCommand(service, dockerfile)
  if (!isProgram(service, written)) return null
  const workdir = dockerfile?.workdir ?? null
  const works = service.working_dir ?? workdir
  const volumes = mountsOf(service, { directory: place.directory, context, workdir })
  const directory = localPath(works, volumes.mounts) ?? context ?? place.directory
  const notes = volumeNotes(path, relativeTo(place.base, volumes), works)
  if (written.length === 0) {
    const suggested = await suggestedProgram(directory, path)
    return suggested && { ...suggested, notes: [...notes, ...suggested.notes] }
  }
  const command = localCommand(written, directory, volumes.mounts)
  return { command, directory, notes: [...notes, ...loopbackNotes(path, written)] }
}

/** The port on which it insists, as far as the file tells; null: it is told one, or has none. */
function portOf(service: ComposePart, dockerfile: Dockerfile | null): number | null {
  const exposed = (service.expose ?? []).map((text) => Number.parseInt(text, 10)).filter((port) => port > 0)
  const named = [...publishedPorts(service).tcp.map(({ inside }) => inside), ...exposed]
  return named[0] ?? dockerfile?.ports[0] ?? healthPathOf(service)?.port ?? null
}

async function serviceOf(
  name: string,
  service: ComposePart,
  {
    build,
    program,
    setting,
  }: { readonly build: Build; readonly program: Program; readonly setting: Setting },
): Promise<Pick<Translated, 'service' | 'notes'>> {
  const { path, place } = setting
  const { dockerfile } = build
  const { notes, readsPort, ...environment } = await readEnvironment(service, dockerfile, setting)
  const port = portOf(service, dockerfile)
  const listens = readsPort || port !== null
  return {
    service: {
      ...environment,
      ...measuresOf(service),
      name: nameFrom(name),
      command: program.command,
      directory: relative(place.base, program.directory) || '.',
      port: readsPort ? null : port,
      listens,
      health: healthPathOf(service)?.path ?? null,
    },
    notes: [
      ...program.notes,
      ...notes,
      ...portNotes(service, path, listens),
      ...surroundingNotes(service, dockerfile, path),
      ...leftoversOf(path, service),
    ],
  }
}

/** Translates one service of a Compose file; nothing is dropped without a note. */
export async function translate(name: string, service: ComposePart, setting: Setting): Promise<Translated> {
  const { path, place } = setting
  const image = parseImage(service.image ?? '')
  const nothing = { service: null, database: null, published: [] }
  const database = service.build === undefined ? databaseOf(nameFrom(name), image) : null
  if (database !== null) {
    const notes = databaseNotes(path, image, { ...database, lost: sayLostKeys(service) })
    return { ...nothing, database, notes }
  }
  const build = await readBuild(service, place)
  const program = await programOf(service, build, setting)
  if (program === null) return { ...nothing, notes: [noProgram(path, service, image)] }
  const translated = await serviceOf(name, service, { build, program, setting })
  return { ...translated, database: null, published: publishedPorts(service).tcp }
}
