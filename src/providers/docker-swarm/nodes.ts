import { nodesShape, type SwarmNode } from '../../contracts/docker/swarm.ts'
import { dockerDoor } from './docker/docker-door.ts'

/** The nodes of the swarm that a daemon manages; null: it cannot be asked now. Never throws. */
export async function swarmNodes(socketPath: string): Promise<readonly SwarmNode[] | null> {
  return dockerDoor(socketPath)
    .ask(nodesShape, (docker) => docker.listNodes())
    .catch(() => null)
}
