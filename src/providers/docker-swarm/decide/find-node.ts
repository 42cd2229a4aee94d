import type { SwarmNode } from '../../../contracts/docker/swarm.ts'

/** The node that is meant by a host name or an id; or why it is none. */
export function findNode(
  named: string,
  nodes: readonly SwarmNode[],
): SwarmNode | { readonly because: string } {
  const found = nodes.filter(({ id, name }) => id === named || name === named)
  const [node, ...others] = found
  if (node === undefined) {
    const known = nodes
      .map(({ name }) => name)
      .toSorted()
      .join(', ')
    return { because: `the swarm has no node "${named}": it has ${known}` }
  }
  if (others.length === 0) return node
  const ids = found.map(({ id }) => id).join(' or ')
  return { because: `${found.length} nodes of the swarm are called "${named}": name one by its id, ${ids}` }
}
