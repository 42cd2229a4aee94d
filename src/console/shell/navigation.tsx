import { useState, type ReactNode } from 'react'
import { useHouse, usePoll } from '../data/house.ts'
import { mayDo } from '../data/session.ts'
import { useStore } from '../data/store.ts'
import { pages, type Page } from '../pages.ts'
import { Icon, Mark, type IconName } from '../parts/icons.tsx'
import { placeOf } from '../router/router.ts'
import { useShell } from './context.ts'
import { themes, type Theme } from './theme.ts'

const atHandOnPhone = 4

/** The pages that the reader may see. */
export function usePages(): readonly Page[] {
  const session = useStore(useHouse().session.store)
  const role = session.state === 'in' ? session.role : 'public'
  return pages.filter((page) => mayDo(role, page.permission))
}

/** The address of a page. */
export const hrefOf = (page: Page): string => placeOf(page.path === '' ? [] : [page.path])

function PageLink({ page, current }: { page: Page; current: string }): ReactNode {
  return (
    <a className="nav-link" href={hrefOf(page)} aria-current={page.path === current ? 'page' : undefined}>
      <Icon name={page.icon} />
      <span>{page.title}</span>
    </a>
  )
}

const themeIcons: Readonly<Record<Theme, IconName>> = { auto: 'auto', light: 'sun', dark: 'moon' }

function ThemeSwitch(): ReactNode {
  const { theme } = useShell()
  const chosen = useStore(theme)
  return (
    <div className="theme-switch" role="group" aria-label="Colour scheme">
      {themes.map((one) => (
        <button
          key={one}
          type="button"
          aria-label={`${one} colour scheme`}
          aria-pressed={one === chosen}
          title={one}
          onClick={() => theme.set(one)}
        >
          <Icon name={themeIcons[one]} />
        </button>
      ))}
    </div>
  )
}

function Environment(): ReactNode {
  const { data } = usePoll('environment.status', {}, { periodMs: 2000 })
  return (
    <a className="brand" href={placeOf([])} aria-label={`Holdfast, environment ${data?.name ?? ''}`}>
      <Mark />
      <span className="brand-name">{data?.name ?? ' '}</span>
    </a>
  )
}

/** Control and command key by the habit of the reader's machine. */
export function paletteKeys(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'
}

/** The rail at the left of a wide page. */
export function Rail({ current }: { current: string }): ReactNode {
  const shell = useShell()
  const visible = usePages()
  return (
    <header className="rail">
      <Environment />
      <button type="button" className="rail-search" onClick={shell.openPalette}>
        <Icon name="search" />
        <span>Go to</span>
        <kbd>{paletteKeys()}</kbd>
      </button>
      <nav aria-label="Pages">
        {visible.map((page) => (
          <PageLink key={page.path} page={page} current={current} />
        ))}
      </nav>
      <div className="rail-foot">
        <Who />
        <ThemeSwitch />
        <button type="button" className="rail-help" onClick={shell.openHelp} aria-label="Keyboard shortcuts">
          <kbd>?</kbd>
        </button>
      </div>
    </header>
  )
}

function Who(): ReactNode {
  const session = useStore(useHouse().session.store)
  if (session.state !== 'in') return null
  return (
    <a className="who" href={placeOf(['access'])}>
      {session.actor}
      <span className="soft">may {session.role}</span>
    </a>
  )
}

/** The bar at the bottom of a phone, with a sheet for what does not fit. */
export function BottomBar({ current }: { current: string }): ReactNode {
  const [open, setOpen] = useState(false)
  const shell = useShell()
  const visible = usePages()
  const rest = visible.slice(atHandOnPhone)
  return (
    <div className="bottom">
      {open && (
        <div className="bottom-sheet" id="more" onClick={() => setOpen(false)}>
          <nav aria-label="More pages">
            {rest.map((page) => (
              <PageLink key={page.path} page={page} current={current} />
            ))}
            <button type="button" className="nav-link" onClick={shell.openPalette}>
              <Icon name="search" />
              <span>Go to …</span>
            </button>
            <ThemeSwitch />
          </nav>
        </div>
      )}
      <nav className="bottom-bar" aria-label="Pages">
        {visible.slice(0, atHandOnPhone).map((page) => (
          <PageLink
            key={page.path}
            page={{ ...page, title: page.path === 'limits' ? 'Limits' : page.title }}
            current={current}
          />
        ))}
        <button
          type="button"
          className="nav-link"
          aria-expanded={open}
          aria-controls="more"
          data-inside={rest.some((page) => page.path === current)}
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? 'close' : 'more'} />
          <span>More</span>
        </button>
      </nav>
    </div>
  )
}
