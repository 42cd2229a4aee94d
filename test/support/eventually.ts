import { systemClock } from '../../src/kernel/std/index.ts'

/** How long is waited, and how often is looked. */
export interface Patience {
  readonly timeoutMs: number
  readonly pollMs: number
}

/** Waits until something holds; fails with its last value. */
export async function eventually<Value>(
  read: () => Promise<Value> | Value,
  holds: (value: Value) => boolean,
  { what, timeoutMs, pollMs }: Patience & { readonly what: string },
): Promise<Value> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (systemClock.monotonicMs() > deadlineMs)
      throw new Error(`never: ${what}; last: ${JSON.stringify(value)}`)
    await systemClock.sleep(pollMs)
  }
}
