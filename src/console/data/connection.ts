import { createStore, type Store } from './store.ts'

/** Whether control answers, and how its clock differs from ours. */
export interface Connection {
  readonly state: 'there' | 'away'
  /** Counts up whenever control has come back, so that what was interrupted begins anew. */
  readonly generation: number
  /** Milliseconds to add to our clock to get control's; 0 while they agree within two seconds. */
  readonly skewMs: number
}

/** A fetch that watches the connection, and the store that it keeps. */
export interface WatchedFetch {
  readonly fetch: typeof fetch
  readonly connection: Store<Connection>
  /** Called for every 401, except the ones of a sign-in. */
  readonly onSignedOut: (listener: () => void) => void
}

const gatewayStatuses: readonly number[] = [502, 503, 504]
const toleratedSkewMs = 2000
const longestPauseMs = 8000

/** Says when control answers again: tries with growing pauses, 0.5 s to 8 s. */
async function awaitReturn(inner: typeof fetch): Promise<void> {
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 1.6, longestPauseMs)) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    try {
      const response = await inner('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(4000) })
      if (!gatewayStatuses.includes(response.status)) return
    } catch {
      // still away
    }
  }
}

const isAway = (response: Response): boolean =>
  gatewayStatuses.includes(response.status) &&
  !(response.headers.get('content-type') ?? '').includes('problem+json')

function skewOf(response: Response, now: number): number | undefined {
  const date = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(date)) return undefined
  // The header is cut to whole seconds, so its middle is the best guess.
  const skewMs = date + 500 - now
  return Math.abs(skewMs) < toleratedSkewMs ? 0 : skewMs
}

/** Wraps fetch: notices when control goes away, waits for it to return, and measures the skew of its clock. */
export function watchFetch(inner: typeof fetch, now: () => number): WatchedFetch {
  const connection = createStore<Connection>({ state: 'there', generation: 0, skewMs: 0 })
  const signedOutListeners = new Set<() => void>()

  const lost = (): void => {
    if (connection.get().state === 'away') return
    connection.set({ ...connection.get(), state: 'away' })
    void awaitReturn(inner).then(() => {
      const { generation, skewMs } = connection.get()
      connection.set({ state: 'there', generation: generation + 1, skewMs })
    })
  }

  const looked = (response: Response): void => {
    if (isAway(response)) return lost()
    const skewMs = skewOf(response, now())
    const known = connection.get()
    // Seconds in a header jitter; only a real change is worth a new rendering.
    if (skewMs !== undefined && Math.abs(skewMs - known.skewMs) > 1500) connection.set({ ...known, skewMs })
  }

  const watched: typeof fetch = async (input, init) => {
    try {
      const response = await inner(input, init)
      looked(response)
      const address = input instanceof Request ? input.url : input.toString()
      if (response.status === 401 && !address.endsWith('/access.sign-in')) {
        for (const listener of signedOutListeners) listener()
      }
      return response
    } catch (error) {
      if (init?.signal?.aborted !== true) lost()
      throw error
    }
  }
  return {
    fetch: watched,
    connection,
    onSignedOut: (listener) => void signedOutListeners.add(listener),
  }
}
