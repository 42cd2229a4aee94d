import { useMemo, useState, type KeyboardEvent, type ReactNode } from 'react'
import { usePoll } from '../data/house.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Icon, type IconName } from '../parts/icons.tsx'
import { go, placeOf } from '../router/router.ts'
import { rankMatches } from '../words/match.ts'
import { hrefOf, usePages } from './navigation.tsx'

interface Target {
  readonly text: string
  readonly what: string
  readonly icon: IconName
  readonly href: string
}

const mostShown = 9

function useTargets(): readonly Target[] {
  const pages = usePages()
  const status = usePoll('environment.status', {}, { periodMs: 2000 }).data
  const operations = usePoll('operations.list', {}, { periodMs: 60_000 }).data
  const routes = usePoll('edge.routes', {}, { periodMs: 5000 }).data
  return useMemo(
    () => [
      ...pages.map((page): Target => ({
        text: page.title,
        what: 'page',
        icon: page.icon,
        href: hrefOf(page),
      })),
      ...(status?.services ?? []).map(({ name }): Target => ({
        text: name,
        what: 'service',
        icon: 'services',
        href: placeOf(['services', name]),
      })),
      ...(routes?.routes ?? []).map(({ name }): Target => ({
        text: name,
        what: 'route',
        icon: 'limits',
        href: placeOf(['limits', 'route', name]),
      })),
      ...(operations?.operations ?? [])
        .filter(({ permitted, permission }) => permitted && permission !== 'public')
        .map(({ name, summary }): Target => ({
          text: name,
          what: summary,
          icon: 'operations',
          href: placeOf(['operations', name]),
        })),
    ],
    [pages, status, operations, routes],
  )
}

/** Goes anywhere by a few letters. */
export function Palette({ onClose }: { onClose: () => void }): ReactNode {
  const targets = useTargets()
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)
  const found = rankMatches(query, targets, (target) => `${target.text} ${target.what}`).slice(0, mostShown)
  const at = Math.min(chosen, Math.max(0, found.length - 1))
  const open = (target: Target | undefined): void => {
    if (target === undefined) return
    onClose()
    go(target.href)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === 'Enter') open(found[at])
    else if (step === undefined) return
    else setChosen((at + step + found.length) % Math.max(1, found.length))
    event.preventDefault()
  }
  return (
    <Dialog label="Go to" className="palette" onClose={onClose}>
      <input
        role="combobox"
        aria-label="Page, service, route or operation"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `palette-${at}` : undefined}
        autoComplete="off"
        placeholder="Page, service, route or operation"
        value={query}
        autoFocus
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setQuery(event.target.value)
          setChosen(0)
        }}
      />
      <Found found={found} at={at} open={open} />
    </Dialog>
  )
}

function Found(props: {
  readonly found: readonly Target[]
  readonly at: number
  readonly open: (target: Target) => void
}): ReactNode {
  return (
    <>
      <div id="palette-list" role="listbox" aria-label="Places">
        {props.found.map((target, index) => (
          <div
            key={target.href}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === props.at}
            onClick={() => props.open(target)}
          >
            <Icon name={target.icon} />
            <span className="palette-text">{target.text}</span>
            <span className="palette-what">{target.what}</span>
          </div>
        ))}
      </div>
      {props.found.length === 0 && <p className="palette-none">Nothing of that name.</p>}
    </>
  )
}
