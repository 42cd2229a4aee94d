import { spawn, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { noCluster } from '../../../src/capabilities/environment/view.ts'
import type { ReplicaSpec, ReplicaStatus, SupervisorEvent } from '../../../src/contracts/supervisor.ts'
import { localEngine, type LocalEngine } from '../../../src/providers/local-engine/index.ts'
import { requestOverSocket } from '../../../src/providers/unix-http/index.ts'
import {
  endLeftovers,
  environmentHash,
  isRunning,
  supervisorScript,
  type SupervisorPlan,
} from '../../../src/server/supervisor/index.ts'

import { eventually as waitUntil } from '../eventually.ts'
import { groupDirectory, parseMembership, parseMounts } from '../../../src/server/supervisor/cgroup/mounts.ts'

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Waits until something holds; fails with its last value after fifteen seconds. */
export function eventually<Value>(
  read: () => Promise<Value> | Value,
  holds: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  return waitUntil(read, holds, { what, timeoutMs: 15_000, pollMs: 20 })
}

/** Whether a process lives (a zombie does not). */
export function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** A specification of a replica that runs `replica.mjs`. */
export function replica(id: string, parts: string[], more: Partial<ReplicaSpec> = {}): ReplicaSpec {
  return {
    id,
    service: id.slice(0, id.indexOf('/')),
    release: '',
    restarts: true,
    command: [process.execPath, script('replica.mjs'), ...parts],
    directory: tmpdir(),
    variables: { PATH: process.env['PATH'] ?? '' },
    port: null,
    stopTimeoutMs: 2000,
    mayExpose: false,
    memoryMiB: null,
    cpus: null,
    ...more,
  }
}

/** A data directory with supervisors on it, as `up` would start them. */
export interface House {
  readonly data: string
  readonly engine: LocalEngine
  /** Port of the stand-in edge. */
  port(): number
  /** Starts a supervisor (with stand-ins for control and edge, if told so) and waits until its door is open. */
  start(withProcesses?: boolean): Promise<ChildProcess>
  /** Kills the present supervisor with SIGKILL and waits until it is gone. */
  kill(): Promise<void>
  replica(id: string): Promise<ReplicaStatus>
  /** Waits until a replica is as wished. */
  until(id: string, holds: (status: ReplicaStatus) => boolean, what: string): Promise<ReplicaStatus>
  allEvents(): Promise<readonly SupervisorEvent[]>
  /** Ends whatever is left and removes the directory. */
  clean(): Promise<void>
}

/** Creates a house in a temporary directory, or in the one given. */
export function createHouse(directory = mkdtempSync(join(tmpdir(), 'holdfast-house-'))): House {
  const data = join(directory, 'data')
  const engine = localEngine({ dataDirectory: data, request: requestOverSocket })
  let child: ChildProcess | null = null
  let edgePort = 0

  const read = async (id: string): Promise<ReplicaStatus> => {
    const found = (await engine.status()).replicas.find((item) => item.id === id)
    if (found === undefined) throw new Error(`no replica ${id}`)
    return found
  }

  const kill = async (): Promise<void> => {
    const dying = child
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return
    const gone = new Promise((resolve) => dying.once('exit', resolve))
    dying.kill('SIGKILL')
    await gone
  }

  return {
    data,
    engine,
    port: () => edgePort,
    start: async (withProcesses = false) => {
      const server = await listen(edgePort)
      edgePort = (server.address() as AddressInfo).port
      const log = openSync(join(directory, 'supervisor.out'), 'a')
      const plan = JSON.stringify(planFor(data, withProcesses))
      child = spawn(process.execPath, [supervisorScript(), plan], {
        detached: true,
        stdio: ['ignore', log, log, descriptorOf(server)],
      })
      closeSync(log)
      await new Promise((resolve) => server.close(resolve))
      const { pid } = child
      const out = (): string => readFileSync(join(directory, 'supervisor.out'), 'utf8')
      await eventually(
        () => isRunning(data),
        (found) => found?.pid === pid,
        `supervisor runs: ${out()}`,
      )
      return child
    },
    kill,
    replica: read,
    until: (id, holds, what) => eventually(() => read(id), holds, `${id} ${what}`),
    allEvents: () => engine.events({ supervisor: 0, cluster: noCluster }, new AbortController().signal),
    clean: async () => {
      await kill()
      await endLeftovers(data)
      const left = markedPids(data)
      for (const pid of left) process.kill(pid, 'SIGKILL')
      await eventually(
        () => left.some(lives),
        (some) => !some,
        'replicas are gone',
      )
      if (process.platform === 'linux') await removeGroups(data)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function planFor(dataDirectory: string, withProcesses: boolean): SupervisorPlan {
  const processes: SupervisorPlan['processes'] = [
    { name: 'control', script: script('stand-in.mjs'), arguments: [], descriptors: [], variables: {} },
    { name: 'edge', script: script('stand-in.mjs'), arguments: ['3'], descriptors: [3], variables: {} },
  ]
  return {
    dataDirectory,
    version: '1.2.3',
    node: process.execPath,
    processes: withProcesses ? processes : [],
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer().once('error', reject)
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}

const descriptorOf = (server: Server): number => (server as unknown as { _handle: { fd: number } })._handle.fd

/** The killed supervisor's groups; its successor would remove them when their replicas stop. */
async function removeGroups(data: string): Promise<void> {
  const folder = `holdfast-${environmentHash(data)}`
  const mounts = parseMounts(readFileSync('/proc/mounts', 'utf8'))
  const paths = parseMembership(readFileSync('/proc/self/cgroup', 'utf8'))
  for (const [name, mount] of mounts.one) {
    const parent = join(groupDirectory(mount, paths.get(name) ?? '/'), folder)
    await eventually(
      () => removeTree(parent),
      (gone) => gone,
      `${parent} is gone`,
    )
  }
}

/** `rm -r` fails on the files of a group, which go with it. */
function removeTree(parent: string): boolean {
  if (!existsSync(parent)) return true
  try {
    const children = readdirSync(parent, { withFileTypes: true }).filter((child) => child.isDirectory())
    for (const child of children) rmdirSync(join(parent, child.name))
    rmdirSync(parent)
    return true
  } catch {
    return false
  }
}

/** What a failed test left behind, found by the record of what ran. */
function markedPids(data: string): readonly number[] {
  try {
    const file = JSON.parse(readFileSync(join(data, 'supervisor', 'replicas.json'), 'utf8')) as {
      replicas: { pid: number }[]
    }
    return file.replicas.map(({ pid }) => pid).filter(lives)
  } catch {
    return []
  }
}
