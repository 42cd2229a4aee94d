import { relative, resolve } from 'node:path'
import { createClient, type Client } from '../../../client/index.ts'
import { closest } from '../../../kernel/std/index.ts'
import { loadEnvironment, type LoadedEnvironment } from '../../../server/composition/index.ts'
import { usageError } from '../../arguments/index.ts'
import { locateControl } from '../../control/index.ts'
import { harmless } from '../../output/index.ts'
import type { Terminal } from '../terminal.ts'
import { up, type Beside, type UpOptions } from '../up.ts'
import { createActor, type Actor } from './act.ts'
import { decideWish, type Territory } from './changes.ts'
import { createIgnore } from './ignore.ts'
import { followLogs } from './logs.ts'
import { createSelfWriting } from './self-writing.ts'
import { createWatch, readIgnoreFile } from './watch.ts'

/** What `holdfast dev` was asked for, beside what `up` is. */
export interface DevOptions extends Omit<UpOptions, 'beside' | 'json'> {
  /** Services that watch their files themselves. */
  readonly unwatched: readonly string[]
}

function refuseUnknown(unwatched: readonly string[], { environment: { services } }: LoadedEnvironment): void {
  const names = Object.keys(services)
  const unknown = unwatched.find((name) => !names.includes(name))
  if (unknown === undefined) return
  const meant = closest(unknown, names)
  throw usageError(`--no-watch: there is no service "${unknown}"`, {
    hint: meant === undefined ? `the services are ${names.join(', ')}` : `did you mean "${meant}"?`,
    path: 'no-watch',
  })
}

function territoryOf(
  { file, directory, environment }: LoadedEnvironment,
  unwatched: readonly string[],
): Territory {
  const watched = Object.entries(environment.services).filter(
    ([name, { command }]) => command !== undefined && !unwatched.includes(name),
  )
  return {
    file,
    directory,
    services: Object.fromEntries(
      watched.map(([name, service]) => [name, resolve(directory, service.directory)]),
    ),
  }
}

const rootsOf = ({ directory, services }: Territory): readonly string[] => [
  ...new Set([directory, ...Object.values(services)]),
]

async function ignoreOf(territory: Territory): Promise<(path: string) => boolean> {
  return createIgnore(await Promise.all(rootsOf(territory).map(readIgnoreFile)))
}

function sayWatched({ directory, services }: Territory, unwatched: readonly string[]): string {
  const watched = Object.entries(services).map(
    ([name, path]) => `${name} (${relative(directory, path) || '.'})`,
  )
  const others = unwatched.length === 0 ? '' : `; not ${unwatched.join(', ')}`
  return `Watching the environment file${watched.length === 0 ? '' : ` and ${watched.join(', ')}`}${others}.`
}

function lineSayer(terminal: Terminal): (service: string, replica: string, line: string) => void {
  const hues = new Map<string, number>()
  return (service, replica, line) => {
    const hue = hues.get(service) ?? hues.size
    hues.set(service, hue)
    terminal.line(`${terminal.hue(hue, `${replica} |`)} ${harmless(line)}`)
  }
}

async function connect(dataDirectory: string): Promise<Client> {
  return createClient(await locateControl({ directory: dataDirectory, data: dataDirectory }))
}

/** What runs beside the environment: watches, acts, and follows the logs, until the signal aborts. */
async function develop(
  { loaded, dataDirectory, terminal, signal }: Beside,
  unwatched: readonly string[],
): Promise<void> {
  const client = await connect(dataDirectory)
  const place: { territory: Territory; isIgnored: (path: string) => boolean } = {
    territory: territoryOf(loaded, unwatched),
    isIgnored: () => false,
  }
  place.isIgnored = await ignoreOf(place.territory)
  const say = (line: string): void => terminal.line(`${terminal.strong('dev |')} ${line}`)
  const shelf: { actor?: Actor } = {}
  const sift = createSelfWriting()
  const watch = createWatch({
    isIgnored: (path) => place.isIgnored(path),
    onChange: (paths) => {
      const { wanted, left } = sift(paths, shelf.actor?.calmForMs() ?? 0)
      for (const path of left) {
        const name = relative(place.territory.directory, path)
        say(`${name} changes whenever its service is restarted: it is left out now; name it in .gitignore`)
      }
      if (wanted.length > 0) shelf.actor?.wish(decideWish(wanted, place.territory))
    },
  })
  const onReloaded = async (): Promise<void> => {
    place.territory = territoryOf(await loadEnvironment(loaded.file, loaded.overrides), unwatched)
    place.isIgnored = await ignoreOf(place.territory)
    await watch.follow(rootsOf(place.territory))
  }
  shelf.actor = createActor({ client, say, onReloaded, signal })
  await watch.follow(rootsOf(place.territory))
  say(sayWatched(place.territory, unwatched))
  if (watch.isPartial()) say('There are more directories than can be watched: changes in some go unseen.')
  try {
    await Promise.all([shelf.actor.ended, followLogs(client, lineSayer(terminal), signal)])
  } finally {
    watch.close()
  }
}

/**
 * `holdfast dev`: runs the environment like `up`, restarts services whose files change, takes a changed environment file
 * over, and shows all logs. Resolves to the exit code.
 */
export function dev({ unwatched, ...options }: DevOptions): Promise<number> {
  return up({
    ...options,
    check: (loaded) => refuseUnknown(unwatched, loaded),
    beside: (ground) => develop(ground, unwatched),
  })
}
