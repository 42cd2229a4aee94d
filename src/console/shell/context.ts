import { createContext, use } from 'react'
import type { Store } from '../data/store.ts'
import type { Theme } from './theme.ts'

/** What the frame around the pages offers. */
export interface Shell {
  readonly theme: Store<Theme>
  readonly openPalette: () => void
  readonly openHelp: () => void
}

/** Carries the shell down the tree. */
export const ShellContext = createContext<Shell | null>(null)

/** The shell; only below `ShellContext`. */
export function useShell(): Shell {
  const shell = use(ShellContext)
  if (shell === null) throw new Error('ShellContext is missing')
  return shell
}
