import { HoldfastError } from '../../../../kernel/std/index.ts'

/** The error of a file that no environment can be made from. */
export function notImportable(message: string, hint: string, cause?: unknown): HoldfastError {
  return new HoldfastError({ code: 'cli.not-importable', kind: 'user', message, hint, path: 'from', cause })
}
