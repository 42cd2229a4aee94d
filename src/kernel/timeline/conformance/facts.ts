import { virtualClock, type VirtualClock } from '../../std/index.ts'
import type { NewFact, Timeline } from '../index.ts'

/** What the suite needs of an implementation. */
export interface Subject {
  /** How it is called in the report. */
  readonly name: string
  /** Makes an empty timeline on this clock. */
  make(clock: VirtualClock): Promise<Timeline>
}

/** A fact for tests. */
export function newFact(change: Partial<NewFact> = {}): NewFact {
  const plain = { severity: 'info', subject: null, actor: 'holdfast', correlation: null } as const
  return { kind: 'house.tested', ...plain, data: { note: 'hello' }, ...change }
}

/** So many facts. */
export function newFacts(count: number, change: Partial<NewFact> = {}): NewFact[] {
  return Array.from({ length: count }, (_, index) => newFact({ data: { index }, ...change }))
}

/** All items of an async iterable. */
export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Items as an async iterable. */
export async function* lines(items: readonly string[]): AsyncGenerator<string> {
  yield* items
}

/** Makes timelines that `close` closes again. */
export interface Maker {
  readonly make: () => Promise<{ readonly timeline: Timeline; readonly clock: VirtualClock }>
  readonly close: () => Promise<void>
}

/** Creates a maker of timelines of one implementation, each on a virtual clock of its own. */
export function makerOf(subject: Subject): Maker {
  const open: Timeline[] = []
  return {
    make: async () => {
      const clock = virtualClock()
      const timeline = await subject.make(clock)
      open.push(timeline)
      return { timeline, clock }
    },
    close: async () => {
      for (const timeline of open.splice(0)) await timeline.close()
    },
  }
}
