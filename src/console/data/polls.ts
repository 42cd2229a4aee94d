import type { Connection } from './connection.ts'
import { createStore, type Store } from './store.ts'

/** What is known from a repeated question. The last good answer stays when a later one fails. */
export interface Poll<T> {
  readonly data: T | undefined
  readonly error: unknown
  /** When the last good answer came, by our clock; 0 before the first. */
  readonly at: number
}

/** What to ask, and how often. */
export interface Question {
  readonly name: string
  readonly input: () => object
  readonly key: string
  /** Null: asked when it is first watched, when it is refreshed, and when control has come back; and not by itself. */
  readonly periodMs: number | null
}

/** Questions that are asked again and again while somebody looks; equal ones are asked once. */
export interface Polls {
  watch(question: Question): { readonly store: Store<Poll<unknown>>; readonly release: () => void }
  /** Asks a question again at once, after a change, say. Prefix of the operation's name; empty: all. */
  refresh(prefix: string): void
}

interface Entry {
  readonly store: Store<Poll<unknown>>
  readonly ask: () => void
  /** As `ask`; while an answer is awaited, once more after it, for that may be about what was before. */
  readonly askAfresh: () => void
  readonly stop: () => void
  readonly name: string
  watchers: number
}

/** What the polls stand on. */
export interface PollsParts {
  readonly call: (name: string, input: object) => Promise<unknown>
  readonly now: () => number
  readonly connection: Store<Connection>
  /** Whether anybody can see the page. */
  readonly visible: () => boolean
}

// An answer that arrives after the last watcher has gone is kept a moment, so that going back is instant.
const lingerMs = 10_000
const mostEntries = 64

function startEntry(question: Question, parts: PollsParts): Entry {
  const store = createStore<Poll<unknown>>({ data: undefined, error: undefined, at: 0 })
  let busy = false
  let again = false
  const ask = (): void => {
    if (busy || !parts.visible() || parts.connection.get().state === 'away') return
    busy = true
    parts
      .call(question.name, question.input())
      .then(
        (data) => store.set({ data, error: undefined, at: parts.now() }),
        (error: unknown) => store.set({ ...store.get(), error }),
      )
      .finally(() => {
        busy = false
        if (!again) return
        again = false
        ask()
      })
  }
  const askAfresh = (): void => {
    again = busy
    ask()
  }
  const { periodMs } = question
  const timer = periodMs === null ? undefined : setInterval(ask, periodMs)
  const unsubscribe = parts.connection.subscribe(ask)
  ask()
  const stop = (): void => {
    clearInterval(timer)
    unsubscribe()
  }
  return { store, ask, askAfresh, stop, name: question.name, watchers: 0 }
}

/** Creates the polls of a house. */
export function createPolls(parts: PollsParts): Polls {
  const entries = new Map<string, Entry>()
  const drop = (key: string, entry: Entry): void => {
    if (entry.watchers > 0 || entries.get(key) !== entry) return
    entry.stop()
    entries.delete(key)
  }
  const dropIdle = (): void => {
    for (const [key, entry] of entries) if (entries.size >= mostEntries) drop(key, entry)
  }

  return {
    watch: (question) => {
      const { key } = question
      if (!entries.has(key)) dropIdle()
      const known = entries.get(key)
      // Nobody has looked for a moment, in which it may have changed.
      if (known?.watchers === 0 && question.periodMs === null) known.ask()
      const entry = known ?? startEntry(question, parts)
      entries.set(key, entry)
      entry.watchers++
      const release = (): void => {
        entry.watchers--
        setTimeout(() => drop(key, entry), lingerMs)
      }
      return { store: entry.store, release }
    },
    refresh: (prefix) => {
      for (const entry of entries.values()) if (entry.name.startsWith(prefix)) entry.askAfresh()
    },
  }
}
