import type { Operations } from '../../contracts/index.ts'
import type { Client } from '../../client/index.ts'
import { createStore, type Store } from './store.ts'

/** Who looks at the console. */
export type Session =
  | { readonly state: 'asking' }
  | { readonly state: 'out'; readonly because: string | null }
  | ({ readonly state: 'in' } & Operations['access.whoami']['output'])

/** The way in and out. */
export interface SessionDoor {
  readonly store: Store<Session>
  /** Uses the link of the address bar, if there is one, and else the cookie. */
  enter(link: string | null): Promise<void>
  leave(): Promise<void>
}

/** Finds the token of a sign-in link in an address: `/#sign-in=<token>` or `/sign-in#<token>`. */
export function linkOf(address: { readonly pathname: string; readonly hash: string }): string | null {
  const fragment = address.hash.replace(/^#/, '')
  if (fragment.startsWith('sign-in=')) return fragment.slice('sign-in='.length) || null
  return address.pathname.endsWith('/sign-in') && fragment !== '' ? fragment : null
}

const isRefused = (error: unknown): boolean => (error as { status?: unknown } | null)?.status === 401

/** Creates the way in and out. */
export function createSession(client: Client, onSignedOut: (listener: () => void) => void): SessionDoor {
  const store = createStore<Session>({ state: 'asking' })
  onSignedOut(() => {
    if (store.get().state === 'in') store.set({ state: 'out', because: 'Your session has ended.' })
  })

  const whoami = async (): Promise<void> => {
    for (;;) {
      try {
        return store.set({ state: 'in', ...(await client.call('access.whoami', {})) })
      } catch (error) {
        if (isRefused(error)) return store.set({ state: 'out', because: null })
        // Control is away: the banner says so, and we try until it is back.
        await new Promise((resolve) => setTimeout(resolve, 1500))
      }
    }
  }
  const useLink = async (link: string): Promise<void> => {
    try {
      const { actor, role } = await client.call('access.sign-in', { link })
      store.set({ state: 'in', actor, role })
    } catch (error) {
      // An old link in a tab that is already signed in does no harm.
      await whoami()
      if (store.get().state === 'out') store.set({ state: 'out', because: (error as Error).message })
    }
  }

  return {
    store,
    enter: (link) => (link === null ? whoami() : useLink(link)),
    leave: async () => {
      await client.call('access.sign-out', {})
      store.set({ state: 'out', because: 'You have signed out.' })
    },
  }
}

/** `use` stands beside `view`: whoever uses sees nothing, and whoever only views uses nothing. */
const rungs = { public: 0, use: 1, view: 1, operate: 2, administer: 3 } as const

/** What one may be permitted to do. */
export type Permission = keyof typeof rungs

/** Whether a role reaches a permission. */
export function mayDo(role: Permission, permission: Permission): boolean {
  return role === permission || rungs[role] > rungs[permission]
}
