import type { SwarmNode, Task } from '../../../contracts/docker/swarm.ts'
import { shortHash } from './service-spec.ts'

const ended: ReadonlySet<string> = new Set([
  'complete',
  'failed',
  'rejected',
  'shutdown',
  'orphaned',
  'remove',
])

/** Whether a task has come to its end, whatever that was. */
export const hasEnded = ({ state }: Task): boolean => ended.has(state)

/** Whether Swarm still wants it to run. */
export const isWanted = ({ desired }: Task): boolean => desired !== 'shutdown' && desired !== 'remove'

/** Id of the replica that a task is a life of: slots are counted per group. */
export function replicaIdOf({ service, group, slot }: Pick<Task, 'service' | 'group' | 'slot'>): string {
  return `${service}/${shortHash(group)}.${slot}`
}

/** The lives of each replica, the last one first. */
export function livesOf(tasks: readonly Task[]): ReadonlyMap<string, readonly Task[]> {
  const lives = new Map<string, Task[]>()
  for (const task of tasks.toSorted((a, b) => b.createdAt - a.createdAt || b.index - a.index)) {
    const id = replicaIdOf(task)
    lives.set(id, [...(lives.get(id) ?? []), task])
  }
  return lives
}

/** The node of a task if it is lost: what ran there is not known to run. */
export function lostNode({ node }: Task, nodes: readonly SwarmNode[]): SwarmNode | undefined {
  return nodes.find(({ id, isDown }) => id === node && isDown)
}

/** Why a task ended, in words. */
export function sayEnd({ error, exitCode, state }: Task): string {
  if (state === 'failed' && exitCode !== null && exitCode !== 0) return `exit code ${exitCode}`
  if (error !== '') return error.replace(/^task: /, '')
  return exitCode === null ? `it is ${state}` : `exit code ${exitCode}`
}

/** The id of a task in what events call it, `<cluster>/<task>`. */
export const taskOfEvent = (name: string): string => name.slice(name.indexOf('/') + 1)
const prefix = 'swarm-task:'

/** What the log of a task is called where a file is expected. */
export const logNameOf = (task: string): string => `${prefix}${task}`

/** The task whose log that is; null: it is a file. */
export const taskOfLog = (name: string): string | null =>
  name.startsWith(prefix) ? name.slice(prefix.length) : null
