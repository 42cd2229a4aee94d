import { sayDuration, saySize } from '../../kernel/std/index.ts'
import type { EnvironmentStatus } from '../../contracts/index.ts'
import { harmless, pad, plural, sayAgo, table, type Paper, type Tone } from '../output/index.ts'
import type { Views } from './view.ts'

type Replica = EnvironmentStatus['services'][number]['replicas'][number]
type Process = EnvironmentStatus['processes'][number]

const tones: Readonly<Record<string, Tone>> = {
  healthy: 'good',
  running: 'good',
  starting: 'warning',
  waiting: 'warning',
  stopping: 'warning',
  degraded: 'warning',
  down: 'bad',
  stopped: 'bad',
  'crash-looped': 'bad',
  exposed: 'bad',
}

const sayCpu = (cpu: number | null): string => (cpu === null ? '' : `${Math.round(cpu * 100)}%`)
const sayMemory = (sizeBytes: number | null): string => (sizeBytes === null ? '' : saySize(sizeBytes))

function sayUptime(startedAt: number | null, paper: Paper): string {
  return startedAt === null ? '' : sayDuration(Math.max(0, paper.nowMs - startedAt))
}

function stateOf(replica: Replica): string {
  if (replica.state === 'external') return replica.healthy === true ? 'healthy' : 'down'
  if (replica.state !== 'running') return replica.state
  return replica.healthy === null ? 'starting' : replica.healthy ? 'healthy' : 'unhealthy'
}

function replicaRow(replica: Replica, paper: Paper): readonly string[] {
  const state = stateOf(replica)
  return [
    `  ${replica.id}`,
    paper.paint(tones[state] ?? 'bad', state),
    replica.pid === null ? '' : String(replica.pid),
    replica.address ?? '',
    sayCpu(replica.cpu),
    sayMemory(replica.memoryBytes),
    sayUptime(replica.startedAt, paper),
    String(replica.restarts),
    harmless(replica.detail),
  ]
}

function processRow(process: Process, paper: Paper): readonly string[] {
  return [
    `  ${process.name}`,
    paper.paint(tones[process.state] ?? 'bad', process.state),
    process.pid === null ? '' : String(process.pid),
    '',
    sayCpu(process.cpu),
    sayMemory(process.memoryBytes),
    sayUptime(process.startedAt, paper),
    String(process.restarts),
    '',
  ]
}

const columns = [
  { title: '' },
  { title: 'STATE' },
  { title: 'PID', align: 'right' },
  { title: 'ADDRESS' },
  { title: 'CPU', align: 'right' },
  { title: 'MEMORY', align: 'right' },
  { title: 'UP', align: 'right' },
  { title: 'RESTARTS', align: 'right' },
  { title: '' },
] as const

function statusLines(status: EnvironmentStatus, paper: Paper): readonly string[] {
  const width = Math.max(0, ...status.services.map(({ name }) => name.length))
  const services = status.services.map(({ name, state, says, healthy, wanted, command }) => {
    const count = command === null ? 'run by others' : `${healthy} of ${plural(wanted, 'replica')}`
    const painted = paper.paint(tones[state] ?? 'plain', pad(state, 8))
    return `  ${pad(name, width)}  ${painted}  ${state === 'healthy' ? count : harmless(says)}`
  })
  const rows = [
    ...status.services.flatMap(({ replicas }) => replicas.map((replica) => replicaRow(replica, paper))),
    ...status.processes.map((process) => processRow(process, paper)),
  ]
  return [
    paper.paint('strong', status.says),
    paper.paint(
      'dim',
      `environment ${status.name}, Holdfast ${status.version}, started ${sayAgo(status.startedAt, paper.nowMs)}`,
    ),
    '',
    ...services,
    '',
    ...table(columns, rows, paper),
    ...status.notes.flatMap((note, index) => [...(index === 0 ? [''] : []), `note: ${note}`]),
  ]
}

/** How the operations of the environment are drawn. */
export const environmentViews = {
  'environment.status': statusLines,
  'environment.logs': ({ replica, line }, paper) => [
    `${paper.paint('dim', `${replica} |`)} ${harmless(line)}`,
  ],
  'environment.restart': ({ restarted }) => [
    restarted.length === 0 ? 'nothing was running' : `restarted ${restarted.join(', ')}`,
  ],
  'environment.reload': ({ says }) => [harmless(says)],
} satisfies Views
