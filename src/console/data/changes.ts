import type { NamesOf } from '../../client/index.ts'
import { useHouse } from './house.ts'
import { mayDo, type Permission } from './session.ts'
import { useStore } from './store.ts'

/** Whether whoever looks may do what needs a permission. */
export function useMay(permission: Permission): boolean {
  const session = useStore(useHouse().session.store)
  return session.state === 'in' && mayDo(session.role, permission)
}

/** Asks control for a change that is made at once, and says what became of it. */
export type Change = (name: NamesOf<'value'>, input: object, said: string) => Promise<void>

/** Changes are announced with a link to `href`, and everything is asked again. */
export function useChange(href: string): Change {
  const house = useHouse()
  return async (name, input, said) => {
    try {
      await house.client.call(name, input)
      house.announce({ tone: 'good', href, text: said })
    } catch (error) {
      house.announce({ tone: 'bad', text: `Nothing was changed: ${(error as Error).message}` })
    }
    house.polls.refresh('')
  }
}
