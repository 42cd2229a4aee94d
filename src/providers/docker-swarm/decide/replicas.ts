import type { ReplicaStatus } from '../../../contracts/supervisor.ts'
import { logNameOf } from './tasks.ts'
import type { Sight } from '../docker/look.ts'
import type { Task } from '../../../contracts/docker/swarm.ts'
import { hasEnded, isWanted, livesOf, lostNode, sayEnd } from './tasks.ts'

/** What a look at the swarm showed. */
export type SwarmScene = Pick<Sight, 'tasks' | 'nodes'>

type Standing = Pick<ReplicaStatus, 'state' | 'leaving' | 'detail'>

/** A task that is to run, before it does. */
function beforeRunning(task: Task, last: Task | undefined): Standing {
  const crashed = last !== undefined && hasEnded(last) && last.state !== 'shutdown'
  if (task.desired === 'ready' && crashed) {
    return { state: 'waiting', leaving: false, detail: `it waits for its next start: ${sayEnd(last)}` }
  }
  return { state: 'starting', leaving: false, detail: task.error === '' ? `it is ${task.state}` : task.error }
}

/** What ended and has no life after it. */
function afterEnd(task: Task): Standing {
  const detail = sayEnd(task)
  if (!task.restarts && task.state !== 'rejected') return { state: 'ended', leaving: false, detail }
  if (task.state === 'shutdown') return { state: 'stopped', leaving: false, detail: null }
  return { state: 'crash-looped', leaving: false, detail: `it is left down: ${detail}` }
}

function standingOf(task: Task, last: Task | undefined, { nodes }: SwarmScene): Standing {
  if (task.desired === 'remove') return { state: 'stopping', leaving: true, detail: null }
  if (hasEnded(task)) return afterEnd(task)
  const lost = lostNode(task, nodes)
  if (lost !== undefined) return { state: 'stopped', leaving: false, detail: `its node ${lost.name} is down` }
  if (!isWanted(task)) return { state: 'stopping', leaving: false, detail: null }
  if (task.state === 'running') return { state: 'running', leaving: false, detail: null }
  return beforeRunning(task, last)
}

function addressOf(task: Task, { nodes }: SwarmScene): Pick<ReplicaStatus, 'host' | 'port'> {
  const node = nodes.find(({ id }) => id === task.node)
  const isThere = task.state === 'running' && node !== undefined && !node.isDown
  return { host: node?.address ?? '', port: isThere ? task.port : null }
}

function lastExitOf(lives: readonly Task[]): ReplicaStatus['lastExit'] {
  const last = lives.find(hasEnded)
  return last === undefined ? null : { code: last.exitCode, signal: null, at: last.at, lastLines: [] }
}

function statusOf(id: string, lives: readonly [Task, ...Task[]], scene: SwarmScene): ReplicaStatus {
  const [task, last] = lives
  const written = lives.find(({ container }) => container !== '') ?? task
  return {
    id,
    service: task.service,
    ...standingOf(task, last, scene),
    specHash: task.group,
    release: task.release,
    pid: task.pid === 0 ? null : task.pid,
    ...addressOf(task, scene),
    // Of one that has ended, the beginning is not kept.
    startedAt: task.state === 'running' ? task.at : hasEnded(task) ? task.createdAt : null,
    restarts: lives.length - 1,
    adopted: false,
    lastExit: lastExitOf(lives),
    cpu: null,
    memoryBytes: null,
    logFile: logNameOf(written.id),
  }
}

/** The replicas of an environment, from the tasks of its services: a slot of a group is a replica, a task one life of it. */
export function replicasOf(scene: SwarmScene): readonly ReplicaStatus[] {
  return [...livesOf(scene.tasks)].flatMap(([id, [task, ...rest]]) =>
    task === undefined ? [] : [statusOf(id, [task, ...rest], scene)],
  )
}
