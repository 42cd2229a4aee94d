import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { answerOf, groupOf } from '../../../test/support/environment/replicas.ts'
import { eventually as waitUntil } from '../../../test/support/eventually.ts'
import type { ReplicaStatus, Specification, SupervisorEvent } from '../../contracts/supervisor.ts'
import { systemClock } from '../../kernel/std/index.ts'
import type { Fact } from '../../kernel/timeline/index.ts'
import type { Engine, EventMark } from './ports.ts'
import { environmentFold, type EnvironmentView } from './view.ts'
import { factOfEvent } from './watch/events.ts'

/**
 * What a program of the suite does: it answers HTTP with its release; it says `line 1` to `line 25` and ends with code 3,
 * again and again; it says `done` and ends with code 5, and is not to be started again; it answers HTTP with what is in
 * the files that APP_CONFIG_FILE and APP_KEY_FILE name.
 */
export type Behaviour = 'serve' | 'crash' | 'once' | 'tell'

/** A real engine, with nothing on it. */
export interface EngineBench {
  readonly engine: Engine
  specification(what: Behaviour, release: string): Specification
  /** Names of the files that are kept to be handed to replicas. */
  handed(): Promise<readonly string[]>
  /** Ends the program of a replica as a failure would. */
  crash(replica: ReplicaStatus): Promise<void>
  /** Starts something that is not ours; the answer tells whether it still runs as it was. */
  foreign(): Promise<() => Promise<boolean>>
  /** Takes the engine away; the answer brings it back. */
  away(): Promise<() => Promise<void>>
  stop(): Promise<void>
}

const timeoutMs = 90_000

const eventually = <Value>(
  read: () => Promise<Value>,
  holds: (value: Value) => boolean,
  what: string,
): Promise<Value> => waitUntil(read, holds, { what, timeoutMs: timeoutMs / 2, pollMs: 50 })

const lifeOf = ({ id, startedAt, pid }: ReplicaStatus): string => `${id} ${startedAt} ${pid}`

/** Makes facts of what happens from now on as control does, so that the engine is asked from where those end. */
async function historian(engine: Engine) {
  let view: EnvironmentView = environmentFold.initial
  const events: SupervisorEvent[] = []
  const mark = (): EventMark => ({ supervisor: view.lastEvent, cluster: view.cluster })
  const take = async (signal: AbortSignal): Promise<void> => {
    for (const event of await engine.events(mark(), signal)) {
      const { declaration, data } = factOfEvent(event, { name: 'arcade', version: '1', services: ['web'] })
      view = environmentFold.step(view, { kind: declaration.kind, data } as unknown as Fact)
      events.push(event)
    }
  }
  /** Whether nothing new comes for a while. */
  const isQuiet = async (): Promise<boolean> => {
    const before = events.length
    await take(AbortSignal.timeout(2500)).catch(() => undefined)
    return events.length === before
  }
  while (!(await isQuiet())) events.length = 0
  return {
    events,
    isQuiet,
    /** Follows until something holds. */
    until: async (holds: (events: readonly SupervisorEvent[]) => boolean, what: string): Promise<void> => {
      const signal = AbortSignal.timeout(timeoutMs / 2)
      while (!holds(events)) {
        await take(signal).catch((error: unknown) => {
          throw new Error(
            `never: ${what}; seen: ${events.map((event) => `${event.what} ${event.subject}`).join(', ')}`,
            {
              cause: error,
            },
          )
        })
      }
    },
  }
}

/** What every engine promises, on the real thing. */
export function describeEngine(name: string, make: () => Promise<EngineBench>): void {
  describe(`the engine, ${name}`, { timeout: timeoutMs }, () => {
    let bench: EngineBench
    const engine = (): Engine => bench.engine
    const serve = (release: string): Specification => bench.specification('serve', release)
    const replicas = async (): Promise<readonly ReplicaStatus[]> => (await engine().status()).replicas
    const until = (holds: (all: readonly ReplicaStatus[]) => boolean, what: string) =>
      eventually(replicas, holds, what)
    const running = (count: number) =>
      until(
        (all) => all.length === count && all.every(({ state, port }) => state === 'running' && port !== null),
        `${count} run`,
      )
    /** They run, and answer: an engine that comes back may say of the dead that they run, for a moment. */
    const serving = async (count: number): Promise<readonly ReplicaStatus[]> => {
      const look = async () => {
        const found = await running(count)
        const answers = await Promise.all(found.map((one) => answerOf(one).catch(() => '')))
        return { found, answers }
      }
      const served = await eventually(
        look,
        ({ answers }) => answers.every((text) => text !== ''),
        'they answer',
      )
      return served.found
    }

    beforeAll(async () => {
      bench = await make()
    }, timeoutMs)
    afterEach(async () => {
      await engine().run([])
      await until((all) => all.length === 0, 'nothing is left')
    }, timeoutMs)
    afterAll(() => bench.stop(), timeoutMs)

    test('runs what it is told, at addresses that answer', async () => {
      const group = groupOf(serve('one'), 2)
      await engine().run([group])
      const found = await serving(2)
      expect(
        found.map(({ service, specHash, release, leaving }) => ({ service, specHash, release, leaving })),
      ).toEqual(
        Array.from({ length: 2 }, () => ({
          service: 'web',
          specHash: group.hash,
          release: 'one',
          leaving: false,
        })),
      )
      expect(new Set(found.map(({ id }) => id)).size).toBe(2)
      expect(await Promise.all(found.map((replica) => answerOf(replica)))).toEqual(['one', 'one'])
    })

    test('asked twice for the same, changes nothing', async () => {
      const group = groupOf(serve('one'), 2)
      await Promise.all([engine().run([group]), engine().run([group])])
      const before = await serving(2)
      await engine().run([group])
      await systemClock.sleep(1000)
      expect((await running(2)).map(lifeOf)).toEqual(before.map(lifeOf))
    })

    test('gets larger and smaller without touching the others', async () => {
      const specification = serve('one')
      await engine().run([groupOf(specification, 1)])
      const [first] = await serving(1)
      await engine().run([groupOf(specification, 3)])
      const three = (await running(3)).map(lifeOf)
      expect(three).toContain(lifeOf(first as ReplicaStatus))
      await engine().run([groupOf(specification, 2)])
      for (const one of await running(2)) expect(three).toContain(lifeOf(one))
    })

    test('has two groups of a service side by side; the old one only gets smaller', async () => {
      const old = groupOf(serve('one'), 2)
      const fresh = groupOf(serve('two'), 1)
      const asItRuns = { ...old, specification: null }
      await engine().run([old])
      const before = (await serving(2)).map(lifeOf)
      await engine().run([{ ...asItRuns, replicas: 5 }, fresh])
      const both = await serving(3)
      expect((await Promise.all(both.map((replica) => answerOf(replica)))).toSorted()).toEqual([
        'one',
        'one',
        'two',
      ])
      expect(both.map(lifeOf)).toEqual(expect.arrayContaining(before))
      await engine().run([{ ...asItRuns, replicas: 1 }, fresh])
      await running(2)
      await engine().run([fresh])
      expect((await serving(1)).map(({ release }) => release)).toEqual(['two'])
    })

    test('hands files over, others to the next group, and keeps none that nobody is handed', async () => {
      const base64 = (text: string): string => Buffer.from(text).toString('base64')
      const handing = (config: string, key: string): Specification => ({
        ...bench.specification('tell', 'one'),
        files: {
          APP_CONFIG: { content: base64(config), secret: false },
          APP_KEY: { content: base64(key), secret: true },
        },
      })
      const handed = (count: number) =>
        eventually(
          () => bench.handed(),
          (names) => names.length === count,
          `${count} files are kept`,
        )
      const old = groupOf(handing('red', 'k1'), 2)
      const fresh = groupOf(handing('blue', 'k1'), 1)
      await engine().run([old])
      const before = await serving(2)
      expect(await Promise.all(before.map((replica) => answerOf(replica)))).toEqual(['red k1', 'red k1'])
      await engine().run([{ ...old, specification: null }, fresh])
      const both = await serving(3)
      const answers = await Promise.all(both.map((replica) => answerOf(replica)))
      expect(answers.toSorted()).toEqual(['blue k1', 'red k1', 'red k1'])
      const [victim] = before as [ReplicaStatus, ReplicaStatus]
      await engine().restart(victim.id)
      await until(
        (all) => all.some(({ id, startedAt }) => id === victim.id && startedAt !== victim.startedAt),
        'it is another',
      )
      await serving(3)
      await engine().run([fresh])
      expect(await answerOf((await serving(1))[0] as ReplicaStatus)).toBe('blue k1')
      await handed(2)
      await engine().run([])
      await until((all) => all.length === 0, 'nothing is left')
      await handed(0)
    })

    test('leaves alone what is not its own', async () => {
      const isUntouched = await bench.foreign()
      await engine().run([groupOf(serve('one'), 1)])
      await serving(1)
      expect((await replicas()).map(({ service }) => service)).toEqual(['web'])
      await engine().run([])
      await until((all) => all.length === 0, 'nothing is left')
      expect(await isUntouched()).toBe(true)
    })

    test('sees a crash and starts it again', async () => {
      const history = await historian(engine())
      await engine().run([groupOf(serve('one'), 2)])
      const before = await serving(2)
      const [victim, other] = before as [ReplicaStatus, ReplicaStatus]
      await history.until(
        (all) => all.filter(({ what }) => what === 'replica-started').length >= 2,
        'both started',
      )
      await bench.crash(victim)
      await history.until(
        (all) => all.some(({ what, subject }) => what === 'replica-crashed' && subject === victim.id),
        'the crash is told',
      )
      const after = await until(
        (all) =>
          all.some(
            ({ id, state, startedAt }) =>
              id === victim.id && state === 'running' && startedAt !== victim.startedAt,
          ),
        'it is back',
      )
      expect(after.map(lifeOf)).toContain(lifeOf(other))
      expect(after.find(({ id }) => id === victim.id)?.restarts).toBeGreaterThan(0)
    })

    test('leaves down what keeps crashing, says its last lines, and revives it when asked', async () => {
      const history = await historian(engine())
      const group = groupOf(bench.specification('crash', 'one'), 1)
      await engine().run([group])
      const [down] = await until(
        (all) => all.some(({ state }) => state === 'crash-looped'),
        'it is left down',
      )
      await history.until((all) => all.some(({ what }) => what === 'replica-crash-looped'), 'that is told')
      const told = history.events.filter(
        ({ what }) => what === 'replica-crashed' || what === 'replica-crash-looped',
      )
      expect(told.every(({ code }) => code === 3)).toBe(true)
      expect(told.at(-1)?.lastLines.at(-1)).toBe('line 25')
      expect(history.events.filter(({ what }) => what === 'replica-crash-looped')).toHaveLength(1)
      const lives = history.events.length
      await engine().restart(down?.id ?? '')
      await history.until(
        (all) =>
          all.slice(lives).some(({ what }) => what === 'replica-started' || what === 'replica-crashed'),
        'it is tried again',
      )
    })

    test('restarts one replica', async () => {
      await engine().run([groupOf(serve('one'), 2)])
      const [one, other] = (await serving(2)) as [ReplicaStatus, ReplicaStatus]
      await engine().restart(one.id)
      const after = await until(
        (all) =>
          all.length === 2 &&
          all.every(({ state, port }) => state === 'running' && port !== null) &&
          all.some(({ id, startedAt }) => id === one.id && startedAt !== one.startedAt),
        'it is another',
      )
      expect(after.map(lifeOf)).toContain(lifeOf(other))
      await expect(engine().restart('web/99')).rejects.toMatchObject({ code: 'supervisor.unknown-replica' })
    })

    test('runs to its end what runs once, and not a second time', async () => {
      const history = await historian(engine())
      const group = groupOf({ ...bench.specification('once', 'one'), restarts: false }, 1)
      await engine().run([group])
      const [before] = await until((all) => all.some(({ state }) => state === 'ended'), 'it ended')
      expect(before?.lastExit).toMatchObject({ code: 5, lastLines: ['done'] })
      await engine().run([group])
      await systemClock.sleep(3000)
      const [after] = await replicas()
      expect(after).toMatchObject({ id: before?.id, state: 'ended', lastExit: before?.lastExit, restarts: 0 })
      await history.until((all) => all.some(({ what }) => what === 'replica-ended'), 'its end is told')
      expect(history.events.find(({ what }) => what === 'replica-ended')).toMatchObject({
        code: 5,
        lastLines: ['done'],
      })
    })

    test('tells everything once, also to a control that comes later', async () => {
      const history = await historian(engine())
      await engine().run([groupOf(serve('one'), 2)])
      await serving(2)
      await history.until(
        (all) => all.filter(({ what }) => what === 'replica-started').length === 2,
        'both started',
      )
      await engine().run([groupOf(serve('one'), 1)])
      await running(1)
      await engine().run([])
      await until((all) => all.length === 0, 'nothing is left')
      await history.until(
        (all) => all.filter(({ what }) => what === 'replica-exited').length === 2,
        'both stopped',
      )
      expect(await history.isQuiet()).toBe(true)
      expect(history.events.filter(({ what }) => what.startsWith('replica-'))).toHaveLength(4)
    })

    test('says that it is away, and finds everything again', async () => {
      const group = groupOf(serve('one'), 2)
      await engine().run([group])
      await serving(2)
      const comeBack = await bench.away()
      const code: unknown = expect.stringMatching(/^(?:supervisor|swarm)\.unreachable$/)
      await expect(engine().status()).rejects.toMatchObject({ code, kind: 'operational' })
      await expect(engine().run([group])).rejects.toMatchObject({ code })
      await comeBack()
      const found = await serving(2)
      expect(await Promise.all(found.map((replica) => answerOf(replica)))).toEqual(['one', 'one'])
    })
  })
}
