import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataPlane } from '../../capabilities/edge/ports.ts'
import { edgePolicies, edgeReports, edgeState, type EdgePolicies } from '../../contracts/edge-policy.ts'
import { readFromHouse, refuseApart, type HouseSchema, type SocketDoor } from '../../contracts/socket-door.ts'
import { errorFromPlain, HoldfastError, type PlainError } from '../../kernel/std/index.ts'

/** What the client of the edge process works with. */
export interface EdgeProcessParts {
  /** The data directory that the edge runs on. */
  readonly dataDirectory: string
  readonly request: SocketDoor
}

const timeoutMs = 5000
/** Threads start, certificates are read: a policy may take longer. */
const applyTimeoutMs = 20_000
const waitMs = 5000
const mostBytes = 64 * 2 ** 20

const unreachable = {
  code: 'edge.unreachable',
  message: 'the edge does not answer on its socket',
  hint: 'the supervisor starts it again; see logs/edge.log in the data directory',
}

/** The edge process, with what only those need who look for what was changed by hand. */
export interface EdgeProcess extends DataPlane {
  /** What it serves on, and what it would serve on after a restart. Errors: `edge.unreachable`. */
  policies(): Promise<EdgePolicies>
}

/** The edge process, asked over its unix socket. Opens nothing until it is used. */
export function edgeProcess({ dataDirectory, request }: EdgeProcessParts): EdgeProcess {
  const ask = async (parts: {
    readonly method: 'GET' | 'PUT'
    readonly path: string
    readonly body?: unknown
    readonly timeoutMs: number
    readonly signal?: AbortSignal
  }): Promise<unknown> => {
    const socketPath = await readSocketPath(dataDirectory)
    return bodyOf(await request({ ...parts, socketPath, mostBytes, unreachable }))
  }
  return {
    state: async () => {
      const body = await ask({ method: 'GET', path: '/state', timeoutMs })
      refuseApart('the edge', (body as { protocol?: unknown } | null)?.protocol)
      return parseWith(edgeState, body)
    },
    policies: async () => parseWith(edgePolicies, await ask({ method: 'GET', path: '/policies', timeoutMs })),
    apply: async (policy) => {
      const put = { method: 'PUT' as const, path: '/policy', body: policy, timeoutMs: applyTimeoutMs }
      return parseWith(edgeState, await ask(put))
    },
    reports: async (after, signal) => {
      const path = `/reports?after=${after}&waitMs=${waitMs}`
      return parseWith(edgeReports, await ask({ method: 'GET', path, timeoutMs: timeoutMs + waitMs, signal }))
    },
  }
}

function parseWith<T>(schema: HouseSchema<T>, body: unknown): T {
  const read = readFromHouse(schema, body)
  if (read.success) return read.data
  throw new HoldfastError({ ...unreachable, kind: 'operational', cause: read.error })
}

async function readSocketPath(dataDirectory: string): Promise<string> {
  try {
    const text = await readFile(join(dataDirectory, 'edge', 'edge.json'), 'utf8')
    const file = JSON.parse(text) as { readonly socket?: unknown } | null
    if (typeof file?.socket === 'string') return file.socket
  } catch (cause) {
    throw new HoldfastError({ ...unreachable, kind: 'operational', cause })
  }
  throw new HoldfastError({ ...unreachable, kind: 'operational' })
}

function bodyOf({ status, body }: Awaited<ReturnType<SocketDoor>>): unknown {
  if (status < 400) return body
  const plain = body as Partial<Record<keyof PlainError, unknown>> | null | undefined
  const { code, message, kind } = plain ?? {}
  if (typeof code !== 'string' || typeof message !== 'string') {
    throw new HoldfastError({ ...unreachable, kind: 'operational' })
  }
  throw errorFromPlain({
    code,
    message,
    kind: kind === 'user' || kind === 'operational' ? kind : 'bug',
    hint: textOr(plain?.hint),
    path: textOr(plain?.path),
  })
}

const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
