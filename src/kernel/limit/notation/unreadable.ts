import { HoldfastError } from '../../std/index.ts'

/** The error of a limit that cannot be read; without a hint, `parseLimit` guesses what was meant. */
export function unreadable(text: string, fault: string, hint?: string): HoldfastError {
  const message = `The limit "${text}" cannot be read: ${fault}.`
  const common = { code: 'limit.unreadable', kind: 'user', message } as const
  return new HoldfastError(hint === undefined ? common : { ...common, hint })
}
