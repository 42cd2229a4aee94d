import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../kernel/std/index.ts'

/** One of Holdfast's own processes, as `up` wants it run. */
export interface PlannedProcess {
  readonly name: 'control' | 'edge'
  /** Absolute path of the script. */
  readonly script: string
  readonly arguments: readonly string[]
  /** Descriptors of the supervisor that the process inherits, in this order, as 3, 4, 5 ... */
  readonly descriptors: readonly number[]
  /** Besides the supervisor's own environment. */
  readonly variables: Readonly<Record<string, string>>
  /** Files that it has to be able to read as another user, absolute; those that are not there yet do not count. */
  readonly reads?: readonly string[] | undefined
  /** From SIGTERM to SIGKILL, milliseconds; 10,000 when not given. */
  readonly stopTimeoutMs?: number | undefined
}

/** What `up` tells the supervisor, as JSON in its one argument or in `HOLDFAST_PLAN`. */
export interface SupervisorPlan {
  readonly dataDirectory: string
  /** Version of Holdfast. */
  readonly version: string
  /** Why it is started on an environment that runs, in words for the timeline; absent: it is started anew. */
  readonly because?: string | undefined
  /** Path of the runtime for control and edge. */
  readonly node: string
  readonly processes: readonly PlannedProcess[]
}

/** Absolute path of the script to run as supervisor, with the extension of the running installation. */
export function supervisorScript(): string {
  const extension = extname(new URL(import.meta.url).pathname)
  return fileURLToPath(new URL(`./main${extension}`, import.meta.url))
}

/** Reads a plan. Errors: `supervisor.plan-invalid`. */
export function parsePlan(text: string): SupervisorPlan {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = null
  }
  if (isPlan(value)) return value
  throw new HoldfastError({
    code: 'supervisor.plan-invalid',
    kind: 'bug',
    message: 'The supervisor was started without a plan that it understands.',
    hint: 'Start it with `holdfast up`.',
  })
}

/** Whether a value is a plan. */
export function isPlan(value: unknown): value is SupervisorPlan {
  const plan = value as Partial<SupervisorPlan> | null
  return (
    typeof plan?.dataDirectory === 'string' &&
    typeof plan.version === 'string' &&
    typeof plan.node === 'string' &&
    Array.isArray(plan.processes) &&
    plan.processes.every(isPlannedProcess)
  )
}

function isPlannedProcess(value: unknown): value is PlannedProcess {
  const planned = value as Partial<PlannedProcess> | null
  return (
    (planned?.name === 'control' || planned?.name === 'edge') &&
    typeof planned.script === 'string' &&
    isListOf(planned.arguments, (item) => typeof item === 'string') &&
    isListOf(planned.descriptors, (item) => Number.isInteger(item) && Number(item) > 2) &&
    typeof planned.variables === 'object' &&
    isListOf(Object.values(planned.variables), (item) => typeof item === 'string')
  )
}

const isListOf = (value: unknown, fits: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(fits)
