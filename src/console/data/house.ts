import { createContext, use, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { createClient, type Client } from '../../client/index.ts'
import type { OperationName, Operations } from '../../contracts/index.ts'
import type { Clock } from '../../kernel/std/index.ts'
import { watchFetch, type Connection } from './connection.ts'
import { createPolls, type Poll, type Polls } from './polls.ts'
import { createSession, type SessionDoor } from './session.ts'
import { createStore, useStore, type Store } from './store.ts'

/** What is answered to an operation. */
export type Answer<Name extends OperationName> = Operations[Name]['output']

/** Everything a page needs of the house behind the wire. */
export interface House {
  readonly client: Client
  readonly connection: Store<Connection>
  readonly session: SessionDoor
  readonly polls: Polls
  /** Control's time, milliseconds since the epoch. */
  readonly now: () => number
  /** The announcements of this page's own changes, newest last; a few only. */
  readonly notices: Store<readonly Notice[]>
  readonly announce: (notice: Omit<Notice, 'id'>) => void
}

/** What happened upon a change, said once. */
export interface Notice {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
  readonly href?: string | undefined
}

const mostNotices = 3
const noticeMs = 15_000

/** Creates the house over a fetch and a clock. */
export function createHouse(fetchLike: typeof fetch, clock: Pick<Clock, 'now'>): House {
  const watched = watchFetch(fetchLike, () => clock.now())
  const client = createClient({ url: '', fetch: watched.fetch })
  const { connection } = watched
  const session = createSession(client, watched.onSignedOut)
  const notices = createStore<readonly Notice[]>([])
  let lastNotice = 0
  const polls = createPolls({
    call: async (name, input) => {
      const answer = await client.any(name, input)
      if (answer.kind !== 'value') throw new Error(`${name} does not answer with a value`)
      return answer.value
    },
    now: () => clock.now(),
    connection,
    visible: () => document.visibilityState === 'visible',
  })
  lookAgainOnReturn(polls)
  return {
    client,
    connection,
    session,
    polls,
    notices,
    now: () => clock.now() + connection.get().skewMs,
    announce: (notice) => {
      const id = ++lastNotice
      notices.set([...notices.get(), { ...notice, id }].slice(-mostNotices))
      const dismiss = (): void => notices.set(notices.get().filter((one) => one.id !== id))
      // What went wrong stays until it was read.
      if (notice.tone === 'good') setTimeout(dismiss, noticeMs)
    },
  }
}

/** Whoever comes back to the page sees it fresh; a tab that is shown is often focused in the same moment. */
function lookAgainOnReturn(polls: Polls): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => polls.refresh(''), 100)
  }
  document.addEventListener('visibilitychange', look)
  addEventListener('focus', look)
}

/** Carries the house down the tree. */
export const HouseContext = createContext<House | null>(null)

/** The house; only below `HouseContext`. */
export function useHouse(): House {
  const house = use(HouseContext)
  if (house === null) throw new Error('HouseContext is missing')
  return house
}

/** Asks an operation again every `periodMs` while the page is seen; null: when it is opened, and upon `refresh`. */
export function usePoll<Name extends OperationName>(
  name: Name,
  input: Operations[Name]['input'] | (() => Operations[Name]['input']),
  options: { readonly periodMs: number | null; readonly key?: string },
): Poll<Answer<Name>> {
  const { polls } = useHouse()
  const { periodMs } = options
  const key = `${name} ${periodMs} ${options.key ?? JSON.stringify(input)}`
  // The key stands for the input, which is a new object at each rendering.
  const watched = useMemo(() => {
    const ask = typeof input === 'function' ? (input as () => object) : () => input as object
    let handle: ReturnType<Polls['watch']> | undefined
    const open = (): ReturnType<Polls['watch']> =>
      (handle ??= polls.watch({ name, input: ask, key, periodMs }))
    return {
      get: () => open().store.get(),
      subscribe: (listener: () => void) => {
        const unsubscribe = open().store.subscribe(listener)
        return () => {
          unsubscribe()
          handle?.release()
          handle = undefined
        }
      },
    }
  }, [polls, key])
  return useSyncExternalStore(watched.subscribe, watched.get) as Poll<Answer<Name>>
}

/** Control's time, refreshed every `periodMs`, for what is said relative to now. */
export function useNow(periodMs = 1000): number {
  const house = useHouse()
  const [now, setNow] = useState(() => house.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(house.now()), periodMs)
    return () => clearInterval(timer)
  }, [house, periodMs])
  return now
}

/** Whether control answers. */
export function useConnection(): Connection {
  return useStore(useHouse().connection)
}
