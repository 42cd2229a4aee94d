import { lookUp } from '../../kernel/std/index.ts'
import { runsContainers, type EnvironmentFile } from '../composition/index.ts'

type Volume = EnvironmentFile['volumes'][string]

const sayNode = ({ node }: Pick<Volume, 'node'> = {}): string =>
  node === undefined ? 'the node of the manager' : `node ${node}`

/** Where a service has to run for its volumes, as the end of a sentence; empty: anywhere. */
export function sayBinding(environment: EnvironmentFile, name: string): string {
  const { volumes = [] } = lookUp(environment.services, name) ?? {}
  const [first] = volumes
  if (first === undefined || !runsContainers(environment)) return ''
  const placed = volumes.find((volume) => lookUp(environment.volumes, volume)?.node !== undefined) ?? first
  const which = `volume${volumes.length === 1 ? '' : 's'} ${volumes.join(' and ')}`
  return `; it runs on ${sayNode(lookUp(environment.volumes, placed))}, for its ${which}`
}

/** What happens to a volume that both files name. */
export function sayChangedVolume(before: EnvironmentFile, after: EnvironmentFile, name: string): string {
  const [was, is] = [lookUp(before.volumes, name), lookUp(after.volumes, name)]
  if (!runsContainers(after) || was?.node === is?.node) return `volume ${name} is changed`
  return `volume ${name} is looked for on ${sayNode(is)}; what uses it is replaced there, and files on ${sayNode(was)} stay behind`
}

/** What is to be known of volumes when services move from one engine to the other. */
export function sayLeftBehind(before: EnvironmentFile, after: EnvironmentFile): readonly string[] {
  if (runsContainers(before) === runsContainers(after)) return []
  return Object.keys(after.volumes)
    .filter((name) => Object.hasOwn(before.volumes, name))
    .map(
      (name) =>
        `volume ${name} begins empty on the other engine, and old and new replicas write apart until the old ones are gone; carry its files first`,
    )
}
