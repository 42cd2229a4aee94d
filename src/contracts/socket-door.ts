import type { ZodType } from 'zod'
import { HoldfastError, type PlainError } from '../kernel/std/index.ts'

/** One request to one of Holdfast's own processes. */
export interface SocketAsk {
  readonly socketPath: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: unknown
  readonly timeoutMs: number
  /** Largest answer, bytes. */
  readonly mostBytes: number
  readonly signal?: AbortSignal | undefined
  /** What is said when nobody answers. */
  readonly unreachable: Pick<PlainError, 'code' | 'message' | 'hint'>
}

/** How Holdfast's processes ask one another: HTTP with JSON over a unix socket. The provider `unix-http` is one. */
export type SocketDoor = (ask: SocketAsk) => Promise<{ readonly status: number; readonly body: unknown }>

/**
 * Version of what control, edge and supervisor say to one another. It grows by one when a process would misunderstand one
 * of the version before; a key with a default is no reason.
 */
export const houseProtocol = 1

/** Header in which a request says it; an answer to `GET /status` or `GET /state` says `protocol`. */
export const protocolHeader = 'holdfast-protocol'

/**
 * Refuses another process when more than one version is between us; `said` is what it says its version is, and one that
 * says none is of a time when there was only the first. Errors: `house.versions-apart`.
 */
export function refuseApart(who: string, said: unknown): void {
  const protocol = Number(said ?? 1)
  if (Math.abs(protocol - houseProtocol) <= 1) return
  throw new HoldfastError({
    code: 'house.versions-apart',
    kind: 'operational',
    message: `${who} speaks version ${protocol} of the language of the house, and this process version ${houseProtocol}: they do not understand one another`,
    hint: 'let all be of one installation: "holdfast down" of the one that runs, then "holdfast up" of the other',
  })
}

/** A schema of the contracts between processes of the house. */
export type HouseSchema<Value> = ZodType<Value>

/** The value, or why it does not fit. */
type Read<Value> =
  | { readonly success: true; readonly data: Value }
  | { readonly success: false; readonly error: Error & { readonly issues: readonly Issue[] } }

interface Issue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[] | undefined
}

/** Each round removes every stranger that one parse finds; deeper ones show when those are gone. */
const mostRounds = 8

/**
 * Reads what another process of the house says, which during an upgrade is of the version before or after: keys that
 * this version does not know are passed over. A version that adds a key gives it a default, so that one without it fits.
 */
export function readFromHouse<Value>(schema: HouseSchema<Value>, value: unknown): Read<Value> {
  let rest = value
  for (let round = 0; ; round++) {
    const parsed = schema.safeParse(rest)
    if (parsed.success) return parsed
    const issues = parsed.error.issues as readonly Issue[]
    const strangers = issues.filter(({ code }) => code === 'unrecognized_keys')
    if (strangers.length === 0 || round === mostRounds) return { success: false, error: parsed.error }
    rest = structuredClone(rest)
    for (const { path, keys = [] } of strangers) remove(rest, path, keys)
  }
}

function remove(value: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let place = value as Record<PropertyKey, unknown>
  for (const step of path) place = place[step] as Record<PropertyKey, unknown>
  for (const key of keys) delete place[key]
}
