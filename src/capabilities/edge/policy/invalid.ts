import { HoldfastError } from '../../../kernel/std/index.ts'

/** What is wrong with a key of the section, and how to mend it. */
export function invalid(path: string, message: string, hint: string): HoldfastError {
  return new HoldfastError({
    code: 'configuration.invalid',
    kind: 'user',
    message: `${path}: ${message}`,
    hint,
    path,
  })
}
