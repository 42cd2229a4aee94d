import { useEffect, type ReactNode } from 'react'
import { useHouse } from '../data/house.ts'
import { StateMark } from '../parts/basics.tsx'
import { Mark } from '../parts/icons.tsx'
import { linkOf } from '../data/session.ts'

/** Watches for a sign-in link that is opened in a tab where the console already runs. */
export function useSignInLinks(): void {
  const { session } = useHouse()
  useEffect(() => {
    const look = (): void => {
      const link = linkOf(location)
      if (link === null) return
      // The link must not stay in the address bar, nor in the history.
      history.replaceState(null, '', '/')
      void session.enter(link)
    }
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  }, [session])
}

/** Shown to whoever is not signed in: how to get a link. */
export function SignInPage({ because }: { because: string | null }): ReactNode {
  useEffect(() => {
    document.title = 'Sign in · Holdfast'
  }, [])
  return (
    <main className="sign-in">
      <div className="sign-in-box">
        <Mark />
        <h1>Sign in with a link</h1>
        {because !== null && (
          <p className="sign-in-because" role="alert">
            <StateMark state="warn" />
            {because}
          </p>
        )}
        <p>There are no passwords here. On the machine that runs Holdfast, ask for a link and open it:</p>
        <pre tabIndex={0}>
          <code>holdfast sign-in</code>
        </pre>
        <p className="soft">A link is good once and for ten minutes. You stay signed in for seven days.</p>
      </div>
    </main>
  )
}
