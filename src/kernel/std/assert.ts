import { HoldfastError } from './errors.ts'

/** Throws a `bug` error when a condition that our own code guarantees does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new HoldfastError({ code: 'kernel.assertion-failed', kind: 'bug', message })
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new HoldfastError({
    code: 'kernel.assertion-failed',
    kind: 'bug',
    message: `unreachable value ${JSON.stringify(value)}`,
  })
}
