import { Suspense, useMemo, useState, type ReactNode } from 'react'
import { useHouse } from './data/house.ts'
import { useStore, type Store } from './data/store.ts'
import { Empty, Loading } from './parts/basics.tsx'
import { Boundary } from './parts/boundary.tsx'
import { PageHead } from './parts/answer.tsx'
import { placeOf, usePlace, type Place } from './router/router.ts'
import { Banner, Notices } from './shell/banner.tsx'
import { ShellContext } from './shell/context.ts'
import { BottomBar, Rail, usePages } from './shell/navigation.tsx'
import { Palette } from './shell/palette.tsx'
import { ShortcutsDialog, useShortcuts } from './shell/shortcuts.tsx'
import { SignInPage, useSignInLinks } from './shell/sign-in.tsx'
import type { Theme } from './shell/theme.ts'

function CurrentPage({ place }: { place: Place }): ReactNode {
  const [first = '', ...rest] = place.path
  const page = usePages().find(({ path }) => path === first)
  if (page === undefined) {
    return (
      <>
        <PageHead title="Not here" answer={[{ text: 'There is no such page.' }]} />
        <Empty says={<a href={placeOf([])}>Back to the overview</a>} />
      </>
    )
  }
  const address = place.path.join('/')
  return (
    <Boundary key={address}>
      <Suspense fallback={<Loading lines={8} />}>
        <page.component key={address} rest={rest} query={place.query} />
      </Suspense>
    </Boundary>
  )
}

function Frame({ theme }: { theme: Store<Theme> }): ReactNode {
  const place = usePlace()
  const [open, setOpen] = useState<'palette' | 'help' | null>(null)
  const shell = useMemo(
    () => ({ theme, openPalette: () => setOpen('palette'), openHelp: () => setOpen('help') }),
    [theme],
  )
  useShortcuts({ palette: shell.openPalette, help: shell.openHelp })
  const current = place.path[0] ?? ''
  const skip = (): void => document.getElementById('main')?.focus()
  return (
    <ShellContext value={shell}>
      <button type="button" className="skip-link" onClick={skip}>
        Skip to the page
      </button>
      <div className="frame">
        <Rail current={current} />
        <div className="stage">
          <Banner />
          <main id="main" tabIndex={-1}>
            <CurrentPage place={place} />
          </main>
        </div>
        <BottomBar current={current} />
      </div>
      <Notices />
      {open === 'palette' && <Palette onClose={() => setOpen(null)} />}
      {open === 'help' && <ShortcutsDialog onClose={() => setOpen(null)} />}
    </ShellContext>
  )
}

/** The console. */
export function App({ theme }: { theme: Store<Theme> }): ReactNode {
  const session = useStore(useHouse().session.store)
  useSignInLinks()
  if (session.state === 'out') return <SignInPage because={session.because} />
  if (session.state === 'asking') return <Asking />
  return <Frame theme={theme} />
}

function Asking(): ReactNode {
  return (
    <main className="asking">
      <h1 className="hidden">Holdfast</h1>
      <Banner />
    </main>
  )
}
