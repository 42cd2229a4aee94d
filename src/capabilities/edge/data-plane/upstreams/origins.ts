import type { Dispatcher } from 'undici'
import { Pool } from './pool.ts'

/** One origin as a thread speaks to it. */
export interface Origin {
  /** `http://127.0.0.1:3000`. */
  readonly url: URL
  readonly dispatcher: Dispatcher
}

/** The origins of a thread, with their connections; kept from policy to policy. */
export interface Origins {
  get(url: string): Origin
  /** Lets go of all but these, once what is under way there has ended. */
  keep(urls: ReadonlySet<string>): void
  close(): Promise<void>
}

const connectTimeoutMs = 3000
/** Connections to one origin from one thread; further requests wait. */
const mostConnections = 512
/** Shorter than the 5 s after which many servers end an idle connection. */
const idleTimeoutMs = 4000

/** Creates the book of origins. */
export function createOrigins(): Origins {
  const book = new Map<string, Origin & { readonly dispatcher: Pool }>()
  const open = (url: string): Origin & { readonly dispatcher: Pool } => ({
    url: new URL(url),
    dispatcher: new Pool(url, {
      connections: mostConnections,
      pipelining: 1,
      keepAliveTimeout: idleTimeoutMs,
      connect: { timeout: connectTimeoutMs },
      maxHeaderSize: 65_536,
    }),
  })
  return {
    get: (url) => {
      const origin = book.get(url) ?? open(url)
      book.set(url, origin)
      return origin
    },
    keep: (urls) => {
      for (const [url, { dispatcher }] of book) {
        if (urls.has(url)) continue
        book.delete(url)
        dispatcher.close().catch(() => undefined)
      }
    },
    close: async () => {
      const pools = [...book.values()].map(({ dispatcher }) => dispatcher)
      book.clear()
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}
