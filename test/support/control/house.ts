import {
  bindJob,
  bindStream,
  bindValue,
  type OperationBinding,
} from '../../../src/kernel/capability/index.ts'
import { openSeries } from '../../../src/kernel/series/index.ts'
import { systemClock, systemRandom, type Clock, type JsonObject } from '../../../src/kernel/std/index.ts'
import { memoryTimeline, type Fact, type Timeline } from '../../../src/kernel/timeline/index.ts'
import { createHouse, type House, type HouseOptions } from '../../../src/server/control/index.ts'
import type { Caller } from '../../../src/kernel/capability/index.ts'
import { testCatalogue, testOperations } from './operations.ts'

/** A line of what was logged. */
export interface Logged {
  readonly level: 'info' | 'warn' | 'error'
  readonly details: JsonObject
  readonly message: string
}

/** A house in memory with the tests' operations. */
export interface TestHouse {
  readonly house: House
  readonly timeline: Timeline
  readonly logged: readonly Logged[]
  /** What the tests' operations were called with, and what became of their signals. */
  readonly seen: string[]
  readonly facts: (kind?: string) => Promise<readonly Fact[]>
}

/** Binds the tests' operations. */
export function bindTestOperations(seen: string[], clock: Clock): readonly OperationBinding[] {
  return [
    bindValue(testOperations.echo, ({ text }) => Promise.resolve({ text })),
    bindValue(testOperations.change, ({ what }) => {
      seen.push(`change ${what}`)
      return what === 'fail' ? Promise.reject(new Error('it failed')) : Promise.resolve({ changed: what })
    }),
    bindStream(testOperations.count, async function* ({ to, failAt, padding }, { signal }) {
      signal.addEventListener('abort', () => seen.push('count aborted'), { once: true })
      try {
        for (let number = 1; number <= to && !signal.aborted; number++) {
          if (number === failAt) throw new Error('cannot count further')
          seen.push(`counted ${number}`)
          yield { number, padding: 'x'.repeat(padding) }
          if (padding === 0) await clock.sleep(5, signal).catch(() => undefined)
        }
      } finally {
        seen.push('count ended')
      }
    }),
    bindJob(testOperations.work, async ({ what }, call) => {
      call.progress(0.1, 'first')
      const { text: first } = await call.step('first', async () => {
        seen.push('first')
        return { text: `${what} 1` }
      })
      if (what === 'fail') throw new Error('it failed')
      call.progress(0.5, 'second')
      if (what === 'wait') {
        await new Promise((_, reject) =>
          call.signal.addEventListener('abort', () => reject(call.signal.reason as Error), { once: true }),
        )
      }
      const { text: second } = await call.step('second', async () => {
        seen.push('second begins')
        if (what === 'pause') await clock.sleep(1000)
        return { text: `${what} 2` }
      })
      return { first, second }
    }),
  ]
}

/** A timeline that takes a turn of the event loop to append, as a disk does. */
export function slowTimeline(timeline: Timeline): Timeline {
  return {
    ...timeline,
    append: async (facts) => {
      await new Promise((resolve) => setImmediate(resolve))
      return timeline.append(facts)
    },
  }
}

/** Builds a house in memory. */
export async function testHouse(options: Partial<HouseOptions> = {}): Promise<TestHouse> {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const timeline = options.timeline ?? memoryTimeline({ clock, random })
  const logged: Logged[] = []
  const seen: string[] = []
  const logAs = (level: Logged['level']) => (details: JsonObject, message: string) =>
    void logged.push({ level, details, message })
  const house = await createHouse({
    timeline,
    series: await openSeries({ path: null, clock }),
    clock,
    random,
    log: { info: logAs('info'), warn: logAs('warn'), error: logAs('error') },
    capabilities: () => [],
    bindings: () => bindTestOperations(seen, clock),
    catalogue: testCatalogue,
    ...options,
  })
  const facts = (kind?: string): Promise<readonly Fact[]> =>
    timeline.read({ limit: 10_000, ...(kind === undefined ? {} : { kinds: [kind] }) })
  return { house, timeline, logged, seen, facts }
}

/** Somebody with a permission. */
export function somebody(permission: Caller['permission'], actor = `person:${permission}`): Caller {
  return { actor, permission }
}

/** Calls an operation as somebody, from inside. */
export function callAs(
  house: House,
  caller: Caller,
  call: { readonly operation: string; readonly input?: unknown; readonly idempotencyKey?: string },
): ReturnType<House['call']> {
  const signal = new AbortController().signal
  return house.call({ input: {}, ...call, credentials: { trusted: caller }, signal })
}
