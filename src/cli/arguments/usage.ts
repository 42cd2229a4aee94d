import { HoldfastError } from '../../kernel/std/index.ts'

/** What to say beside the message. */
interface Beside {
  readonly hint?: string | undefined
  readonly path?: string | undefined
}

/** The command line was not understood: exit code 2. */
export function usageError(message: string, { hint, path }: Beside = {}): HoldfastError {
  return new HoldfastError({ code: 'cli.usage', kind: 'user', message, hint, path })
}
