import { chmodSync, rmSync } from 'node:fs'
import { extname, join } from 'node:path'
import {
  mostTableBytes,
  startDataPlane,
  type KeptTable,
  type RunningDataPlane,
  type TargetProbe,
} from '../../capabilities/edge/data-plane/index.ts'
import type { EdgePolicies, EdgePolicy, EdgeState } from '../../contracts/edge-policy.ts'
import { readSnapshotFile } from '../../kernel/limit/index.ts'
import { plainError, systemClock, systemRandom, type Clock, type Random } from '../../kernel/std/index.ts'
import { programVersion } from '../launch/version.ts'
import { removeShortPlace, replaceFile } from '../files/index.ts'
import type { Door } from './door.ts'
import { openPolicyFile, type PolicyFile } from './policy-file.ts'
import { openIdentityStore } from './identity-store.ts'
import type { Settings } from './settings.ts'
import { edgeSocketPath } from './socket-path.ts'

/** Says a line into the process's log. */
export type Say = (message: string) => void

/** The edge process, running. */
export interface EdgeProcess {
  readonly dataPlane: RunningDataPlane
  /** Ports listened on, in the order of the policy's listeners; empty before the first policy. */
  ports(): readonly number[]
  /** Stops accepting, lets requests end for at most `deadlineMs`, ends. */
  stop(deadlineMs: number): Promise<void>
}

/** What the process works with. */
export interface EdgeProcessOptions {
  readonly settings: Settings
  readonly say: Say
  /** The process has to end at once and be started afresh. */
  readonly onExhausted: (why: string) => void
  /** The process is to end in good order and be started afresh, on a policy that is on disk. */
  readonly onRestart: (why: string) => void
  readonly clock?: Clock
  readonly random?: Random
}

/** Runs the edge: serves on the policy that was accepted last, and takes new ones over its socket. */
export async function runEdge(options: EdgeProcessOptions): Promise<EdgeProcess> {
  const { settings, say, onExhausted, onRestart, clock = systemClock, random = systemRandom } = options
  const { dataDirectory, listeners, threads, variables } = settings
  const dataPlane = startDataPlane({
    clock,
    random,
    pid: process.pid,
    probe: { probe },
    identityStore: openIdentityStore({ dataDirectory, random, variables, say }),
    threads,
    listeners,
    table: tableIn(dataDirectory, say),
    counterStore: new URL(`../../providers/redis/index${extname(import.meta.url)}`, import.meta.url).href,
    onExhausted,
  })
  const running = new Running({
    dataPlane,
    file: openPolicyFile(dataDirectory, programVersion()),
    say,
    onRestart,
  })
  await running.begin()
  const door = await announce(dataDirectory, running)
  return {
    dataPlane,
    ports: () => running.ports,
    stop: async (deadlineMs) => {
      await dataPlane.drain(deadlineMs)
      door.close()
      removeShortPlace(edgeSocketPath(dataDirectory))
      rmSync(join(dataDirectory, 'edge', 'edge.json'), { force: true })
    },
  }
}

/** Where the limits are kept: whatever is wrong with the file, the edge starts. */
function tableIn(dataDirectory: string, say: Say): KeptTable {
  const path = join(dataDirectory, 'edge', 'limits.table')
  const read = (): Promise<Uint8Array | null> =>
    readSnapshotFile(path, mostTableBytes).catch((error: unknown) => {
      say(`the limits begin anew, for what was kept of them cannot be read: ${plainError(error).message}`)
      return null
    })
  return { path, read, say }
}

/** Loaded when the first target is looked at, which is when the threads serve. */
async function probe(...look: Parameters<TargetProbe['probe']>): ReturnType<TargetProbe['probe']> {
  const { httpProbe } = await import('../../providers/http-probe/index.ts')
  return httpProbe().probe(...look)
}

/** Where control is another user, the directory's group is control's, and so is that of what is made in it. */
const controlReads = 0o640

async function announce(dataDirectory: string, running: Running): Promise<Door> {
  const socket = edgeSocketPath(dataDirectory)
  // Loaded when the threads serve: connections wait for them, and nobody for the door.
  const { openDoor } = await import('./door.ts')
  const door = await openDoor(socket, {
    state: () => running.dataPlane.state(),
    policies: () => running.policies(),
    apply: (policy) => running.apply(policy),
    reports: async (after, waitMs, signal) => ({
      edgeId: running.dataPlane.edgeId,
      reports: [...(await running.dataPlane.reports.after(after, waitMs, signal))],
    }),
  })
  try {
    const file = join(dataDirectory, 'edge', 'edge.json')
    replaceFile(file, JSON.stringify({ pid: process.pid, socket }), false)
    chmodSync(file, controlReads)
  } catch (error) {
    // On a full disk an earlier edge's word has to do: the socket is the same. Serving matters more.
    running.say(`edge/edge.json could not be written: ${plainError(error).message}`)
  }
  return door
}

interface RunningParts {
  readonly dataPlane: RunningDataPlane
  readonly file: PolicyFile
  readonly say: Say
  readonly onRestart: (why: string) => void
}

class Running {
  readonly dataPlane: RunningDataPlane
  ports: readonly number[] = []
  readonly #file: PolicyFile
  readonly #say: Say
  readonly #onRestart: (why: string) => void
  #enforced: EdgePolicy | null = null
  /** Policies, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor({ dataPlane, file, say, onRestart }: RunningParts) {
    this.dataPlane = dataPlane
    this.#file = file
    this.#say = say
    this.#onRestart = onRestart
  }

  /** Serves on the policy on disk. One that does not work is said; control sends another. */
  async begin(): Promise<void> {
    try {
      const policy = await this.#file.read()
      if (policy === null) return this.#say('there is no policy yet: control will send one')
      this.ports = await this.dataPlane.apply(policy)
      this.#enforced = policy
      this.#say(`serving on policy ${policy.revision.slice(0, 12)} from disk`)
    } catch (error) {
      this.#say(`the policy on disk does not work: ${plainError(error).message}`)
    }
  }

  say(message: string): void {
    this.#say(message)
  }

  /** What is served on, and what lies on disk. */
  policies(): EdgePolicies {
    return { enforced: this.#enforced as unknown as EdgePolicies['enforced'], kept: this.#file.look() }
  }

  apply(policy: EdgePolicy): Promise<EdgeState> {
    const turn = this.#turn.then(() => this.#apply(policy))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #apply(policy: EdgePolicy): Promise<EdgeState> {
    try {
      if (await this.dataPlane.needsRestart(policy)) return this.#restartOn(policy)
      this.ports = await this.dataPlane.apply(policy)
      this.#enforced = policy
    } catch (error) {
      this.#say(`a policy was refused: ${plainError(error).message}`)
      throw error
    }
    this.#keep(policy)
    this.#say(`serving on policy ${policy.revision.slice(0, 12)}`)
    return this.dataPlane.state()
  }

  /** Connections queue until the next process serves on what is on disk by then. */
  #restartOn(policy: EdgePolicy): EdgeState {
    this.#file.write(policy)
    setImmediate(() =>
      this.#onRestart(`policy ${policy.revision.slice(0, 12)} needs listeners of another kind`),
    )
    return this.dataPlane.state()
  }

  /** One that cannot be kept is served on all the same: after a restart without control the one before counts. */
  #keep(policy: EdgePolicy): void {
    try {
      this.#file.write(policy)
    } catch (error) {
      this.#say(`the policy could not be kept on disk: ${plainError(error).message}`)
    }
  }
}
