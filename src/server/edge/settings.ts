import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { HoldfastError } from '../../kernel/std/index.ts'

/** A listening socket that the process has inherited. */
export interface Inherited {
  readonly host: string
  readonly port: number
  /** One for each thread, and spares. */
  readonly descriptors: readonly number[]
}

/** What the edge process is started with. */
export interface Settings {
  /** Absolute. */
  readonly dataDirectory: string
  /** Empty: the edge opens the addresses of its policy itself. */
  readonly listeners: readonly Inherited[]
  readonly threads: number
  /** All that the process was given: a secret of sessions may be among them. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

function invalid(name: string, message: string): HoldfastError {
  return new HoldfastError({
    code: 'edge.settings-invalid',
    kind: 'bug',
    message: `${name}: ${message}`,
    hint: 'the edge is started by "holdfast up"',
  })
}

/** Reads `HOLDFAST_DATA`, `HOLDFAST_LISTENERS` and `HOLDFAST_EDGE_THREADS`. Errors: `edge.settings-invalid`. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const data = variables['HOLDFAST_DATA']
  if (data === undefined || data === '') throw invalid('HOLDFAST_DATA', 'names no directory')
  const listeners = readListeners(variables['HOLDFAST_LISTENERS'] ?? '[]')
  return {
    dataDirectory: resolve(data),
    listeners,
    threads: readThreads(variables['HOLDFAST_EDGE_THREADS'], listeners),
    variables,
  }
}

function readListeners(text: string): readonly Inherited[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = null
  }
  if (!Array.isArray(value) || !value.every(isInherited)) {
    throw invalid('HOLDFAST_LISTENERS', 'is no list of listeners')
  }
  return value
}

function isInherited(value: unknown): value is Inherited {
  const { host, port, descriptors } = (value ?? {}) as Partial<Inherited>
  return (
    typeof host === 'string' &&
    Number.isInteger(port) &&
    Array.isArray(descriptors) &&
    descriptors.every((descriptor) => Number.isInteger(descriptor) && Number(descriptor) > 2)
  )
}

/** Without a word about it: a core is left to the services. There are never more threads than descriptors. */
function readThreads(text: string | undefined, listeners: readonly Inherited[]): number {
  const wanted = text === undefined ? Math.max(1, availableParallelism() - 1) : Number(text)
  if (!Number.isInteger(wanted) || wanted < 1)
    throw invalid('HOLDFAST_EDGE_THREADS', 'is no number from 1 on')
  const given = listeners.map(({ descriptors }) => descriptors.length).filter((count) => count > 0)
  return Math.min(wanted, ...given)
}
