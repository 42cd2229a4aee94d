import { useEffect, useRef, type ReactNode } from 'react'
import { Button } from '../parts/basics.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { go } from '../router/router.ts'
import { hrefOf, paletteKeys, usePages } from './navigation.tsx'

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

const isPaletteKey = (event: KeyboardEvent): boolean =>
  (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k'

const isBusy = (event: KeyboardEvent): boolean =>
  event.ctrlKey ||
  event.metaKey ||
  event.altKey ||
  isTyping(event.target) ||
  document.querySelector('dialog[open]') !== null

const chordMs = 1200

/** Listens for the shortcuts; those of a single key rest while somebody types or a dialog is open. */
export function useShortcuts(actions: { readonly palette: () => void; readonly help: () => void }): void {
  const pages = usePages()
  const latest = useRef({ actions, pages })
  latest.current = { actions, pages }
  useEffect(() => {
    let chordAt = -chordMs
    const onKeyDown = (event: KeyboardEvent): void => {
      const { actions, pages } = latest.current
      if (isPaletteKey(event)) {
        event.preventDefault()
        return actions.palette()
      }
      if (isBusy(event)) return
      const inChord = event.timeStamp - chordAt < chordMs
      chordAt = event.key === 'g' ? event.timeStamp : -chordMs
      const page = inChord ? pages.find(({ key }) => key === event.key) : undefined
      if (page !== undefined) go(hrefOf(page))
      else if (event.key === '?') actions.help()
      else if (event.key === '/') focusFilter(event)
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
}

function focusFilter(event: KeyboardEvent): void {
  const filter = document.querySelector<HTMLElement>('[data-filter]')
  if (filter === null) return
  event.preventDefault()
  filter.focus()
}

/** The list of shortcuts. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }): ReactNode {
  const pages = usePages()
  return (
    <Dialog label="Keyboard shortcuts" className="shortcuts" onClose={onClose}>
      <h2>Keyboard shortcuts</h2>
      <dl>
        <Shortcut keys={[paletteKeys()]} says="Go to a page, service, route or operation" />
        <Shortcut keys={['/']} says="Filter this page" />
        <Shortcut keys={['?']} says="This list" />
        <Shortcut keys={['Esc']} says="Close" />
        {pages.map((page) => (
          <Shortcut key={page.path} keys={['g', page.key]} says={page.title} />
        ))}
      </dl>
      <div className="dialog-actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  )
}

function Shortcut({ keys, says }: { keys: readonly string[]; says: string }): ReactNode {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{says}</dd>
    </div>
  )
}
