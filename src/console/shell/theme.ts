import { createStore, type Store } from '../data/store.ts'

/** The colour scheme: the system's, or the reader's own choice. */
export type Theme = 'auto' | 'light' | 'dark'

/** The schemes in the order of the switch. */
export const themes: readonly Theme[] = ['auto', 'light', 'dark']

const storageKey = 'holdfast.theme'

const remembered = (storage: Storage): Theme => {
  const value = storage.getItem(storageKey)
  return value === 'light' || value === 'dark' ? value : 'auto'
}

/** The reader's choice, remembered in this browser and applied to the page. */
export function createTheme(storage: Storage, root: HTMLElement): Store<Theme> {
  const store = createStore<Theme>(remembered(storage))
  const apply = (): void => {
    const theme = store.get()
    if (theme === 'auto') root.removeAttribute('data-theme')
    else root.setAttribute('data-theme', theme)
  }
  apply()
  store.subscribe(() => {
    storage.setItem(storageKey, store.get())
    apply()
  })
  return store
}
