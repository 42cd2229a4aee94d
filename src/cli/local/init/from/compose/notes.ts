import type { Image } from '../databases.ts'
import type { Note } from '../draft.ts'
import type { Mount } from './command.ts'
import type { ComposePart } from './config.ts'
import type { Dockerfile } from './dockerfile.ts'
import { sayLostKeys } from './leftovers.ts'
import { measureNotes } from './measures.ts'
import { healthPathOf, publishedPorts } from './ports.ts'

const proxies = /^(?:nginx|traefik|caddy|haproxy|envoy|nginx-proxy|nginx-proxy-manager)$/

/** Why a service is left out whole. */
export function noProgram(path: string, service: ComposePart, { name }: Image): Note {
  const lost = sayLostKeys(service)
  if (proxies.test(name)) {
    const says = `${name} is left out, the edge takes its place: say what it served as routes${lost}`
    return { about: path, says }
  }
  if (service.build !== undefined) {
    const says = `neither it nor its Dockerfile nor its folder says what starts it: name its "command"${lost}`
    return { about: path, says }
  }
  const what = name === '' ? 'neither an image nor a build' : `the image ${name}`
  const mend = 'install it and name its "command", or the "address" where it runs'
  return { about: path, says: `it has ${what}, and Holdfast runs programs: ${mend}${lost}` }
}

type Candidate = readonly [holds: boolean, key: string, says: string]

const mostRuns = 5

function buildNotes({ build }: ComposePart, dockerfile: Dockerfile | null): readonly Candidate[] {
  const runs = dockerfile?.runs ?? []
  const shown = runs.slice(0, mostRuns).map((run) => (run.length > 60 ? `${run.slice(0, 59)}…` : run))
  const more = runs.length > mostRuns ? ` and ${runs.length - mostRuns} more` : ''
  const built = `the image was built with: ${shown.join('; ')}${more}. Run here what of it is needed`
  return [
    [runs.length > 0, 'build', built],
    [build !== undefined && dockerfile === null, 'build.dockerfile', 'there is no such file to read'],
  ]
}

/** What an image did before and around the program, and what cannot be said of it here. */
export function surroundingNotes(
  service: ComposePart,
  dockerfile: Dockerfile | null,
  path: string,
): readonly Note[] {
  const { depends_on: needs = [], restart, stop_signal: signal, healthcheck, deploy, scale } = service
  const unread = healthcheck?.test !== undefined && healthPathOf(service) === null
  const waits = `services start together: it has to wait for ${needs.join(' and ')} by itself`
  const candidates: readonly Candidate[] = [
    ...buildNotes(service, dockerfile),
    [needs.length > 0, 'depends_on', waits],
    [restart === 'no', 'restart', 'what ends is started again; a program that runs once is no service'],
    [!['SIGTERM', '15', undefined].includes(signal), 'stop_signal', 'it is asked to end with SIGTERM'],
    [unread, 'healthcheck.test', 'only a path over HTTP can be asked: a TCP connection is enough for now'],
    [(deploy?.replicas ?? scale) === 0, 'replicas', 'it ran no replica; one is written'],
  ]
  const said = candidates.flatMap(([holds, key, says]) => (holds ? [{ about: `${path}.${key}`, says }] : []))
  return [...said, ...measureNotes(path, service)]
}

/** Whether a command had to be moved to loopback. */
export function loopbackNotes(path: string, written: readonly string[]): readonly Note[] {
  const says = 'it listened on 0.0.0.0, where no limit protects it; 127.0.0.1 is written'
  return written.some((word) => word.includes('0.0.0.0')) ? [{ about: `${path}.command`, says }] : []
}

/** What of its ports the edge cannot serve. */
export function portNotes(service: ComposePart, path: string, listens: boolean): readonly Note[] {
  const { tcp, unread } = publishedPorts(service)
  const about = `${path}.ports`
  const later = tcp.slice(1)
  return [
    ...(listens
      ? []
      : [{ about: path, says: 'it names no port: it is taken for a worker that serves none' }]),
    ...later.map(({ inside }) => ({
      about,
      says: `${inside}: the edge serves the first port of a service only`,
    })),
    ...unread.map((written) => ({ about, says: `${written}: only a single TCP port can be served` })),
  ]
}

/** What of its volumes is not where the program looks for it. */
export function volumeNotes(
  path: string,
  { mounts, named }: { readonly mounts: readonly Mount[]; readonly named: readonly string[] },
  workdir: string | null,
): readonly Note[] {
  const about = `${path}.volumes`
  const elsewhere = mounts.filter(
    ({ target, isVolume }) => isVolume && workdir !== target && workdir?.startsWith(`${target}/`) !== true,
  )
  return [
    ...elsewhere.map(({ target, source }) => ({
      about,
      says: `what the program finds in ${target} lies in ${source} here: tell it so`,
    })),
    ...named.map((volume) => ({
      about,
      says: `${volume} is no directory of this machine: let the service write to one, and move the data there`,
    })),
  ]
}
