import type { Finding } from '../../../kernel/capability/index.ts'
import { closest, lookUp } from '../../../kernel/std/index.ts'
import type { Sections } from './strangers.ts'

/** A node of the cluster that runs the services. */
export interface ClusterNode {
  readonly id: string
  /** Its host name, which need not be its own alone. */
  readonly name: string
}

type VolumeSections = Pick<Sections, 'services' | 'volumes'>

/** Nodes that a file means by a host name or an id. */
export function nodesMeant<Node extends ClusterNode>(named: string, nodes: readonly Node[]): readonly Node[] {
  return nodes.filter(({ id, name }) => id === named || name === named)
}

/** Services with volumes that lie on different nodes: they could run on neither. */
export function findPartedVolumes({ services, volumes }: VolumeSections): readonly Finding[] {
  return Object.entries(services).flatMap(([service, config]) => {
    const nodes = new Set(config.volumes.flatMap((name) => lookUp(volumes, name)?.node ?? []))
    if (nodes.size < 2) return []
    const message = `its volumes lie on different nodes: ${[...nodes].join(', ')}`
    const hint = 'let them lie on one node, or give each a service of its own'
    return [{ severity: 'critical', path: `services.${service}.volumes`, message, hint }]
  })
}

const listOf = (nodes: readonly ClusterNode[]): string =>
  nodes
    .map(({ name }) => name)
    .toSorted()
    .join(', ')

function ofNamed(path: string, named: string, nodes: readonly ClusterNode[]): readonly Finding[] {
  const found = nodesMeant(named, nodes)
  if (found.length === 1) return []
  const severity = 'critical'
  if (found.length > 1) {
    const hint = `name it by its id: ${found.map(({ id }) => id).join(' or ')}`
    return [{ severity, path, message: `${found.length} nodes of the swarm are called "${named}"`, hint }]
  }
  const meant = closest(
    named,
    nodes.map(({ name }) => name),
  )
  const hint = meant === undefined ? `there are ${listOf(nodes)}` : `did you mean "${meant}"?`
  return [{ severity, path, message: `the swarm has no node "${named}"`, hint }]
}

const sayUser = (service: string, replicas: number): string =>
  replicas === 1 ? service : `${service} (up to ${replicas} replicas)`

/** Volumes that would be on several nodes at once, each time another one, or that lie on a node that there is not. */
export function findUnplacedVolumes(
  { services, volumes }: VolumeSections,
  nodes: readonly ClusterNode[],
): readonly Finding[] {
  return Object.entries(volumes).flatMap(([volume, { node }]) => {
    const path = `volumes.${volume}.node`
    if (node !== undefined) return ofNamed(path, node, nodes)
    const users = Object.entries(services).filter(([, config]) => config.volumes.includes(volume))
    const count = users.reduce((sum, [, { replicas }]) => sum + replicas.max, 0)
    if (nodes.length < 2 || count < 2) return []
    const who = users.map(([name, { replicas }]) => sayUser(name, replicas.max)).join(' and ')
    const message = `the swarm has ${nodes.length} nodes, and ${who} would share it, which lies on one of them`
    const hint = `name the node that it lies on (${listOf(nodes)}): all that uses it runs there`
    return [{ severity: 'critical', path, message, hint }]
  })
}
