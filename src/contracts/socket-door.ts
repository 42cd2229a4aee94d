import type { PlainError } from '../kernel/std/index.ts'

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
