import type { ClusterMark } from '../../../capabilities/environment/ports.ts'
import type { SupervisorEvent } from '../../../contracts/supervisor.ts'
import { restartDelayMs } from './service-spec.ts'
import type { SwarmScene } from './replicas.ts'
import type { Task } from '../../../contracts/docker/swarm.ts'
import { hasEnded, isWanted, livesOf, lostNode, replicaIdOf, sayEnd } from './tasks.ts'

/** What events are decided from. */
export interface EventScene extends SwarmScene {
  /** The cluster that the tasks are of. */
  readonly cluster: string
  /** How far they have become facts. */
  readonly mark: ClusterMark
  /** Tasks that we ended ourselves. */
  readonly ours: ReadonlySet<string>
  readonly now: number
}

/** So long Swarm may take to put a new task in the place of one that failed; without one then, it is left down. */
const replacedWithinMs = 3000

type What = SupervisorEvent['what']

function eventOf(task: Task, what: What, { cluster }: EventScene): SupervisorEvent {
  return {
    number: task.index,
    task: `${cluster}/${task.id}`,
    at: task.at,
    what,
    subject: replicaIdOf(task),
    pid: task.pid === 0 ? null : task.pid,
    port: task.port,
    code: task.exitCode,
    signal: null,
    restartInMs: what === 'replica-crashed' ? restartDelayMs : null,
    detail: what === 'replica-started' ? null : sayEnd(task),
    lastLines: [],
  }
}

/** What became of a task that failed; null: that is still to be seen. */
function afterFailure(task: Task, scene: EventScene): What | null {
  const lives = livesOf(scene.tasks).get(replicaIdOf(task)) ?? []
  if (lives[0]?.id !== task.id) return 'replica-crashed'
  if (scene.now - task.at < replacedWithinMs) return null
  return task.state === 'rejected' ? 'replica-unstartable' : 'replica-crash-looped'
}

function endOf(task: Task, scene: EventScene): What | null {
  const { state, desired, id, restarts } = task
  if (desired === 'remove' || state === 'shutdown' || scene.ours.has(id)) return 'replica-exited'
  if (!restarts) return state === 'rejected' ? 'replica-unstartable' : 'replica-ended'
  return afterFailure(task, scene)
}

/** Whether a task's end was not said yet. Before the mark all was said; at the mark, and after it, those that are not closed. */
function isNews({ id, index }: Task, { mark }: EventScene): boolean {
  return Object.hasOwn(mark.open, id) || (index >= mark.index && !mark.closed.includes(id))
}

/** A task on a node that is lost is given up as soon as Swarm has given it up. */
function lostOf(task: Task, scene: EventScene): readonly SupervisorEvent[] {
  const node = lostNode(task, scene.nodes)
  if (node === undefined || isWanted(task) || !Object.hasOwn(scene.mark.open, task.id)) return []
  return [{ ...eventOf(task, 'replica-crashed', scene), detail: `its node ${node.name} is down`, code: null }]
}

/** The events of one task; null: it cannot be said yet. */
function eventsOf(task: Task, scene: EventScene): readonly SupervisorEvent[] | null {
  if (hasEnded(task)) {
    if (!isNews(task, scene)) return []
    const what = endOf(task, scene)
    return what === null ? null : [eventOf(task, what, scene)]
  }
  if (!isWanted(task)) return lostOf(task, scene)
  const isSaid = Object.hasOwn(scene.mark.open, task.id)
  return task.state === 'running' && !isSaid ? [eventOf(task, 'replica-started', scene)] : []
}

/** Tasks that are gone altogether: their service was removed or got smaller. */
function goneOf({ tasks, cluster, mark, now }: EventScene): readonly SupervisorEvent[] {
  const there = new Set(tasks.map(({ id }) => id))
  return Object.entries(mark.open)
    .filter(([id]) => !there.has(id))
    .map(([id, subject]) => ({
      number: mark.index,
      task: `${cluster}/${id}`,
      at: now,
      what: 'replica-exited' as const,
      subject,
      pid: null,
      port: null,
      code: null,
      signal: null,
      restartInMs: null,
      detail: 'it was removed',
      lastLines: [],
    }))
}

/**
 * What happened to the tasks and has not become a fact, oldest first: pure, from their last states, so a control that
 * was dead misses no end that Swarm still remembers (five lives of a replica), and repeats none. Of a task that started
 * and ended between two looks only the end is said. What cannot be told yet holds back what came after it.
 */
export function eventsSince(scene: EventScene): readonly SupervisorEvent[] {
  const { cluster, mark } = scene
  const known =
    mark.id === cluster ? scene : { ...scene, mark: { id: cluster, index: 0, open: {}, closed: [] } }
  const events: SupervisorEvent[] = [...goneOf(known)]
  for (const task of known.tasks.toSorted((a, b) => a.index - b.index || a.createdAt - b.createdAt)) {
    const found = eventsOf(task, known)
    if (found === null) break
    events.push(...found)
  }
  return events
}
