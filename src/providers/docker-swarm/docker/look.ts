import { managesNothing, type DockerDoor } from './docker-door.ts'
import { labels } from '../../../contracts/docker/swarm.ts'
import {
  infoShape,
  nodesShape,
  tasksShape,
  type Place,
  type SwarmNode,
  type Task,
} from '../../../contracts/docker/swarm.ts'

/** What was seen, and in which cluster. */
export interface Sight {
  readonly cluster: string
  /** Of this environment, those that are history as well. */
  readonly tasks: readonly Task[]
  readonly nodes: readonly SwarmNode[]
}

/** Looks at the tasks of an environment. */
export interface Look {
  (): Promise<Sight>
  /** This daemon's place in its swarm. */
  place(): Promise<Place>
}

/** Filter for what bears the mark of an environment. */
export const filterOf = (environment: string) => ({ label: [`${labels.environment}=${environment}`] })

/** Creates a look; where this daemon stands is asked once, and anew when something went wrong. */
export function looksAt(
  door: DockerDoor,
  { environment, socketPath }: { readonly environment: string; readonly socketPath: string },
): Look {
  let known: Promise<Place> | null = null
  const ask = async (): Promise<Place> => {
    const place = await door.ask(infoShape, (docker) => docker.info())
    if (!place.isManager) throw managesNothing(socketPath)
    return place
  }
  const guard = async <Answer>(act: (place: Place) => Promise<Answer>): Promise<Answer> => {
    try {
      known ??= ask()
      return await act(await known)
    } catch (error) {
      known = null
      throw error
    }
  }
  const look = (): Promise<Sight> =>
    guard(async ({ cluster, node, address }) => {
      const [tasks, nodes] = await Promise.all([
        door.ask(tasksShape, (docker) => docker.listTasks({ filters: filterOf(environment) })),
        door.ask(nodesShape, (docker) => docker.listNodes()),
      ])
      return {
        cluster,
        tasks: tasks.filter((task) => task.environment === environment),
        nodes: nodes.map((one) => (one.id === node ? { ...one, address } : one)),
      }
    })
  return Object.assign(look, { place: () => guard((place) => Promise.resolve(place)) })
}
