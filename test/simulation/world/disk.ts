import { HoldfastError } from '../../../src/kernel/std/index.ts'
import type { Timeline } from '../../../src/kernel/timeline/index.ts'
import type { Chance } from './chance.ts'
import type { Effects } from './effects.ts'
import type { Life } from './life.ts'

/** The disk under the timeline: what it holds outlives control. */
export interface Disk {
  readonly timeline: Timeline
  /** Largest state of each fold that was ever saved, characters of JSON. */
  readonly largestCheckpoints: Map<string, number>
  /** Appends are refused while it is full. */
  full: boolean
}

/** Creates a disk that holds this timeline. */
export function createDisk(timeline: Timeline): Disk {
  return { timeline, largestCheckpoints: new Map(), full: false }
}

function diskFull(): HoldfastError {
  return new HoldfastError({
    code: 'timeline.disk-full',
    kind: 'operational',
    message: 'the disk of the simulation is full',
  })
}

/** The timeline as one life of control sees it: with a disk's delays, one append after the other. */
export function timelineOf(
  { disk, chance, effects }: { readonly disk: Disk; readonly chance: Chance; readonly effects: Effects },
  life: Life,
): Timeline {
  const { timeline } = disk
  const writes = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    inTurn(() => effects.pass(life, `write ${what}`, act))
  let last: Promise<unknown> = Promise.resolve()
  const delay = (): Promise<void> => life.clock.sleep(chance.between(0, 20))
  const slowly = <T>(act: () => Promise<T>): Promise<T> =>
    life.guard(async () => {
      await delay()
      const value = await act()
      await delay()
      return value
    })
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.then(() => slowly(act))
    last = done.catch(() => undefined)
    return done
  }
  return {
    ...timeline,
    append: (facts) =>
      writes(facts.map(({ kind, subject }) => `${kind} ${subject ?? ''}`).join(', '), () =>
        disk.full ? Promise.reject(diskFull()) : timeline.append(facts),
      ),
    onAppended: (listener) => {
      const stop = timeline.onAppended(listener)
      life.onEnd(stop)
      return stop
    },
    read: (query) => slowly(() => timeline.read(query)),
    head: () => slowly(() => timeline.head()),
    verify: (options) => slowly(() => timeline.verify(options)),
    loadCheckpoint: (name) => slowly(() => timeline.loadCheckpoint(name)),
    saveCheckpoint: (name, checkpoint) => {
      const size = JSON.stringify(checkpoint.state).length
      disk.largestCheckpoints.set(name, Math.max(size, disk.largestCheckpoints.get(name) ?? 0))
      return writes(`checkpoint ${name}`, () => timeline.saveCheckpoint(name, checkpoint))
    },
    retain: (retention) => inTurn(() => timeline.retain(retention)),
  }
}
