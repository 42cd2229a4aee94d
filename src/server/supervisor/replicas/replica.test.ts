import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReplicaSpec } from '../../../contracts/supervisor.ts'
import { virtualClock, type VirtualClock } from '../../../kernel/std/index.ts'
import type { Exit } from '../machine/launch.ts'
import type { EventParts } from '../records/event-log.ts'
import { accept, type Accepted } from './accepted.ts'
import { createGate } from './gate.ts'
import type { ReplicaHost, RunningReplica } from './replica-host.ts'
import { Replica } from './replica.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-replica-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function spec(version: number): Accepted {
  const made: ReplicaSpec = {
    id: 'web/1',
    service: 'web',
    command: [process.execPath],
    directory,
    variables: { VERSION: String(version) },
    port: null,
    release: '',
    restarts: true,
    stopTimeoutMs: 1000,
    mayExpose: false,
    memoryMiB: null,
    cpus: null,
  }
  return accept(made)
}

interface Fake {
  readonly replica: Replica
  readonly clock: VirtualClock
  readonly events: EventParts[]
  /** Processes that live, by pid: the hash of what they run. */
  readonly living: Map<number, string>
  /** Ends the one that runs, by itself. */
  readonly crash: () => void
  /** How each that was stopped was asked to; null: as usual. */
  readonly asked: (string | null)[]
}

function fake(): Fake {
  const clock = virtualClock()
  const living = new Map<number, string>()
  const exits = new Map<number, (exit: Exit) => void>()
  const events: EventParts[] = []
  const asked: (string | null)[] = []
  let lastPid = 100
  const die = (pid: number, exit: Exit): void => {
    if (living.delete(pid)) exits.get(pid)?.(exit)
  }
  const start = async (accepted: Accepted, port: number | null): Promise<RunningReplica> => {
    await clock.sleep(5)
    const pid = ++lastPid
    living.set(pid, accepted.specHash)
    const exited = new Promise<Exit>((resolve) => exits.set(pid, resolve))
    const family = { pid, birth: 'b', mark: null, groupPids: () => [] }
    const times = { startedAt: clock.now(), startedAtMs: clock.monotonicMs() }
    const rest = { adopted: false, marked: null, logOffset: 0, group: null, earlierKills: 0, family, exited }
    return { pid, birth: 'b', port, specHash: accepted.specHash, ...times, ...rest }
  }
  const host: ReplicaHost = {
    start,
    adopt: () => {
      throw new Error('not here')
    },
    end: async ({ pid }, _timeoutMs, signal) => {
      asked.push(signal ?? null)
      await clock.sleep(20)
      const exit = { code: 0, signal: null }
      die(pid, exit)
      return exit
    },
    sweep: () => Promise.resolve(),
    killOrphans: () => Promise.resolve(),
    notes: () => [],
  }
  const ports = {
    give: () => Promise.resolve({ port: null, takenPort: null }),
    hold: () => undefined,
    keepOnly: () => undefined,
    assigned: () => ({}),
  }
  const record = (event: EventParts): void => void events.push(event)
  const logFile = join(directory, 'none.log')
  const replica = new Replica('web/1', {
    clock,
    host,
    ports,
    gate: createGate(1),
    record,
    changed: () => undefined,
    logFile,
  })
  const crash = (): void => {
    for (const pid of living.keys()) die(pid, { code: 1, signal: null })
  }
  return { replica, clock, events, living, crash, asked }
}

test('a restart while it waits for its next life starts it at once', async () => {
  const { replica, clock, crash, living } = fake()
  replica.want(spec(1))
  await clock.advance(10)
  crash()
  await clock.advance(10)
  expect(replica.status()).toMatchObject({ state: 'waiting', pid: null, lastExit: { code: 1 } })
  replica.restart()
  await clock.advance(10)
  expect(replica.status()).toMatchObject({ state: 'running', restarts: 1 })
  await clock.advance(60_000)
  expect(living.size).toBe(1)
})

test('one is asked to stop by the signal that it wants', async () => {
  const { replica, clock, asked } = fake()
  const { spec: usual } = spec(1)
  replica.want(accept({ ...usual, stopSignal: 'SIGINT' }))
  await clock.advance(10)
  replica.want(spec(2))
  await clock.advance(100)
  replica.restart()
  await clock.advance(100)
  expect(asked).toEqual(['SIGINT', null])
})

test('an exposed one is stopped and stays down until it is restarted or changed', async () => {
  const { replica, clock, living, events } = fake()
  replica.want(spec(1))
  await clock.advance(10)
  replica.expose({ address: '0.0.0.0', port: 1, loopback: false, inode: '1' })
  await clock.advance(100_000)
  replica.want(spec(1))
  await clock.advance(100)
  expect([replica.status().state, living.size]).toEqual(['exposed', 0])
  expect(events.map(({ what }) => what)).toEqual(['replica-started', 'replica-exposed', 'replica-exited'])
  replica.want(spec(2))
  await clock.advance(100)
  expect(replica.status().state).toBe('running')
})

test('a crash of the old one while the new one is wished does not hold the new one up', async () => {
  const { replica, clock, living, crash } = fake()
  replica.want(spec(1))
  await clock.advance(10)
  replica.want(spec(2))
  crash()
  await clock.advance(40)
  expect([...living.values()]).toEqual([spec(2).specHash])
})

const action = fc.oneof(
  fc.record({ do: fc.constant('want' as const), version: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    do: fc.constantFrom('restart' as const, 'drop' as const, 'crash' as const),
    version: fc.constant(0),
  }),
)
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

/** Does it and answers what is wished from now on. */
function act({ replica, crash }: Fake, action: Action, wished: string | null): string | null {
  if (action.do === 'restart') replica.restart()
  if (action.do === 'crash') crash()
  if (action.do === 'drop') void replica.drop()
  if (action.do === 'want') replica.want(spec(action.version))
  if (action.do === 'want') return spec(action.version).specHash
  return action.do === 'drop' ? null : wished
}

const steps = fc.array(fc.record({ action, pauseMs: fc.nat(30) }), { minLength: 1, maxLength: 25 })

test('whatever happens, never two at once, and in the end what was wished last', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const house = fake()
      const { replica, clock, living } = house
      let wished: string | null = null
      for (const { action, pauseMs } of sequence) {
        wished = act(house, action, wished)
        await clock.advance(pauseMs)
        expect(living.size).toBeLessThanOrEqual(1)
      }
      await clock.advance(60_000)
      if (replica.status().state === 'crash-looped') replica.restart()
      await clock.advance(1000)
      expect([...living.values()]).toEqual(wished === null ? [] : [wished])
      expect(replica.status().state).toBe(wished === null ? 'stopped' : 'running')
    }),
    { numRuns: 60 },
  )
})
