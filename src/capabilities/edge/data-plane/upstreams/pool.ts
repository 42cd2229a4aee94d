import { createRequire } from 'node:module'
import type { Pool as UndiciPool } from 'undici'

/**
 * Of undici only the pool of connections: its fetch, WebSocket and caches would double the time in which a thread
 * starts, and connections wait for that when the edge is replaced. The version is pinned, the tests use this file.
 */
export const Pool = createRequire(import.meta.url)('undici/lib/dispatcher/pool.js') as typeof UndiciPool

/** A pool of connections to one origin. */
export type Pool = UndiciPool
