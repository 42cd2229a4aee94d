import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../../capabilities/environment/ports.ts'
import {
  packContents,
  supervisorEvent,
  supervisorStatus,
  tampering,
  type WantedReplicas,
  type SupervisorEvent,
  type SupervisorStatus,
  type Tampering,
} from '../../contracts/supervisor.ts'
import { readFromHouse, refuseApart, type HouseSchema, type SocketDoor } from '../../contracts/socket-door.ts'
import { errorFromPlain, HoldfastError, type PlainError } from '../../kernel/std/index.ts'
import { allocate } from './allocate.ts'

/** What the local engine works with. */
export interface LocalEngineParts {
  /** The data directory that the supervisor runs on. */
  readonly dataDirectory: string
  readonly request: SocketDoor
}

/** The local engine: the supervisor, asked over its socket. */
export interface LocalEngine extends Engine {
  /** Makes exactly these replicas run; `run` says which, by its groups. */
  put(desired: WantedReplicas): Promise<SupervisorStatus>
  /**
   * Removes `volumes/<name>` or `databases/<name>` of the data directory with all that is in it: what belongs to the user of
   * a service is not control's to remove.
   */
  readonly discard: (place: string) => Promise<void>
  /** What somebody changed by hand about what runs. */
  readonly tampering: () => Promise<Tampering>
  /** Bytes of the files in such a place, which control may not look into; null: not known. */
  readonly measure: (place: string) => Promise<number | null>
  /** Asks the supervisor to stop control and edge, and (if told so) the replicas, then itself; answers before it is done. */
  stop(replicas: boolean): Promise<void>
}

const TIMEOUT_MS = 5000
const MOST_BYTES = 16 * 2 ** 20
const EVENTS_WAIT_MS = 10_000
/** Files of a large database take their time. */
const DISCARD_WAIT_MS = 120_000
const MEASURE_WAIT_MS = 30_000

const UNREACHABLE = {
  code: 'supervisor.unreachable',
  message: 'The supervisor does not answer on its socket.',
  hint: 'Start Holdfast with `holdfast up`, or look into logs/supervisor.log in its data directory.',
}

/** Creates the engine; opens nothing. The socket's path is read anew each time, for the next supervisor may use another. */
export function localEngine(parts: LocalEngineParts): LocalEngine {
  const ask = async (
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    more: AskOptions = {},
  ): Promise<unknown> => {
    const { body, signal, waitMs = 0 } = more
    const socketPath = await readSocketPath(parts.dataDirectory)
    const timeoutMs = TIMEOUT_MS + waitMs
    const request = {
      socketPath,
      method,
      path,
      body,
      signal,
      timeoutMs,
      mostBytes: MOST_BYTES,
      unreachable: UNREACHABLE,
    }
    const answer = await parts.request(request)
    if (answer.status >= 400) throw errorOf(answer.body)
    return answer.body
  }
  const status = async (): Promise<SupervisorStatus> => {
    const body = await ask('GET', '/status')
    refuseApart('the supervisor', (body as { protocol?: unknown } | null)?.protocol)
    return parseWith(supervisorStatus, body)
  }
  const put: LocalEngine['put'] = async (desired) =>
    parseWith(supervisorStatus, await ask('PUT', '/replicas', { body: packContents(desired) }))
  return {
    runs: 'programs',
    choosesReplica: true,
    status,
    put,
    run: async (groups) => put(allocate(groups, (await status()).replicas)),
    restart: async (id) => void (await ask('POST', `/replicas/${id}/restart`)),
    events: async ({ supervisor: after }, signal) => {
      for (let from = after; ;) {
        const path = `/events?after=${from}&waitMs=${EVENTS_WAIT_MS}`
        const { known, last } = parseEvents(await ask('GET', path, { signal, waitMs: EVENTS_WAIT_MS }))
        if (known.length > 0 || last === null) return known
        from = last
      }
    },
    tampering: async () => parseWith(tampering, await ask('GET', '/tampering')),
    discard: async (place) =>
      void (await ask('POST', '/discard', { body: { place }, waitMs: DISCARD_WAIT_MS })),
    measure: async (place) => {
      const answer = await ask('POST', '/measure', { body: { place }, waitMs: MEASURE_WAIT_MS })
      const { sizeBytes } = (answer ?? {}) as { sizeBytes?: unknown }
      return typeof sizeBytes === 'number' ? sizeBytes : null
    },
    stop: async (replicas) => void (await ask('POST', '/stop', { body: { replicas } })),
  }
}

interface AskOptions {
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** How long the supervisor may hold the answer back, milliseconds. */
  readonly waitMs?: number
}

async function readSocketPath(dataDirectory: string): Promise<string> {
  try {
    const text = await readFile(join(dataDirectory, 'run', 'supervisor.json'), 'utf8')
    const file = JSON.parse(text) as { socket?: unknown } | null
    if (typeof file?.socket === 'string') return file.socket
  } catch (cause) {
    throw new HoldfastError({ ...UNREACHABLE, kind: 'operational', cause })
  }
  throw new HoldfastError({ ...UNREACHABLE, kind: 'operational' })
}

function parseWith<T>(schema: HouseSchema<T>, body: unknown): T {
  const parsed = readFromHouse(schema, body)
  if (parsed.success) return parsed.data
  throw new HoldfastError({ ...UNREACHABLE, kind: 'operational', cause: parsed.error })
}

/** A newer supervisor may see what this version has no word for: that is passed over. */
function parseEvents(body: unknown): {
  readonly known: readonly SupervisorEvent[]
  /** Number of the last event, known or not; null: there is none. */
  readonly last: number | null
} {
  const events = (body as { events?: unknown } | null | undefined)?.events
  if (!Array.isArray(events)) throw new HoldfastError({ ...UNREACHABLE, kind: 'operational' })
  const known = events.flatMap((event: unknown) => {
    const read = readFromHouse(supervisorEvent, event)
    return read.success ? [read.data] : []
  })
  const last = (events.at(-1) as { number?: unknown } | undefined)?.number
  return { known, last: typeof last === 'number' ? last : null }
}

function errorOf(body: unknown): HoldfastError {
  const plain = body as Partial<PlainError> | null | undefined
  const { code, kind, message, hint, path } = plain ?? {}
  if (typeof code !== 'string' || typeof message !== 'string' || !isKind(kind)) {
    return new HoldfastError({ ...UNREACHABLE, kind: 'operational' })
  }
  return errorFromPlain({ code, kind, message, hint: textOr(hint), path: textOr(path) })
}

const isKind = (value: unknown): value is PlainError['kind'] =>
  value === 'user' || value === 'operational' || value === 'bug'

const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
