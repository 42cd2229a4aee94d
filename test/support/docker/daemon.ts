import { spawn, type ChildProcess } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Docker from 'dockerode'
import { tryRun } from './run.ts'
import { systemClock } from '../../../src/kernel/std/index.ts'

/** A Docker daemon with nothing in it, in a network of its own. */
export interface Daemon {
  readonly socketPath: string
  /** As others reach it. */
  readonly address: string
  readonly docker: Docker
  start(): Promise<void>
  /** Ends it as a power failure would, containers and all. */
  kill(): Promise<void>
  /** Ends it, and removes its groups; its directory is the caller's. */
  remove(): Promise<void>
}

/** Where a daemon lives. */
export interface DaemonPlace {
  readonly program: string
  readonly directory: string
  readonly namespace: string
  /** What the node is called. */
  readonly hostName: string
  readonly address: string
}

const startWithinMs = 30_000

async function answers(docker: Docker): Promise<boolean> {
  return docker.ping().then(
    () => true,
    () => false,
  )
}

/** Groups are directories; whether all of a name are gone, for that of one with a process that is dying stays. */
function removeGroups(name: string): boolean {
  const removeTree = (directory: string): void => {
    for (const child of readdirSync(directory, { withFileTypes: true })) {
      if (child.isDirectory()) removeTree(join(directory, child.name))
    }
    rmdirSync(directory)
  }
  const root = '/sys/fs/cgroup'
  const there = [root, ...readdirSync(root).map((child) => join(root, child))]
    .map((directory) => join(directory, name))
    .filter((directory) => existsSync(directory))
  for (const directory of there) {
    try {
      removeTree(directory)
    } catch {
      return false
    }
  }
  return true
}

/** Nothing is resolved in there: who asks for an image that it has not is refused at once. */
const script =
  'mount --bind "$0" /etc/resolv.conf && echo "$1" > /proc/sys/kernel/hostname && shift && exec "$@"'

function argumentsFor(
  { program, directory, namespace, hostName }: DaemonPlace,
  group: string,
): readonly string[] {
  const at = (name: string): string => join(directory, name)
  // Process 1 of a namespace takes everything with it.
  const apart = ['--mount', '--uts', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc']
  const places = ['--config-file', at('daemon.json'), '--data-root', at('data'), '--exec-root', at('exec')]
  const doors = ['--host', `unix://${at('socket')}`, '--pidfile', at('pid'), '--cgroup-parent', `/${group}`]
  const daemon = [program, ...places, ...doors, '--shutdown-timeout', '1', '--log-level', 'warn']
  return [
    `--net=${namespace}`,
    'unshare',
    ...apart,
    'sh',
    '-c',
    script,
    at('resolv.conf'),
    hostName,
    ...daemon,
  ]
}

/** What another life left in the network, which a machine that was switched off would not have. */
async function clearNetwork({ namespace }: DaemonPlace): Promise<void> {
  const inside = (...parts: readonly string[]): Promise<void> =>
    tryRun('nsenter', `--net=${namespace}`, ...parts)
  for (const table of ['nat', 'filter']) {
    await inside('iptables', '--table', table, '--flush')
    await inside('iptables', '--table', table, '--delete-chain')
  }
  for (const bridge of ['docker0', 'docker_gwbridge']) await inside('ip', 'link', 'delete', bridge)
}

/** Prepares a daemon that is not started yet. */
export function prepareDaemon(place: DaemonPlace, name: string): Daemon {
  const { directory, address } = place
  const socketPath = join(directory, 'socket')
  const docker = new Docker({ socketPath, timeout: 20_000 })
  mkdirSync(directory, { recursive: true })
  // Registries of tests, on the wire that the nodes are on, speak no TLS.
  writeFileSync(join(directory, 'daemon.json'), '{"insecure-registries":["198.18.0.0/15"]}')
  writeFileSync(join(directory, 'resolv.conf'), 'nameserver 127.0.0.1\n')
  let child: ChildProcess | null = null
  const kill = async (): Promise<void> => {
    const dying = child
    if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return
    const gone = new Promise((resolve) => dying.once('exit', resolve))
    dying.kill('SIGKILL')
    await gone
  }
  return {
    socketPath,
    address,
    docker,
    start: async () => {
      // Process ids of the namespace before mean nothing in this one.
      rmSync(join(directory, 'exec'), { recursive: true, force: true })
      rmSync(join(directory, 'pid'), { force: true })
      await clearNetwork(place)
      const log = openSync(join(directory, 'log'), 'a')
      child = spawn('nsenter', argumentsFor(place, name), { stdio: ['ignore', log, log] })
      closeSync(log)
      const deadlineMs = systemClock.monotonicMs() + startWithinMs
      while (!(await answers(docker))) {
        if (child.exitCode !== null || systemClock.monotonicMs() > deadlineMs) {
          throw new Error(
            `dockerd does not start: ${readFileSync(join(directory, 'log'), 'utf8').slice(-2000)}`,
          )
        }
        await systemClock.sleep(100)
      }
    },
    kill,
    remove: async () => {
      await kill()
      // Empty groups do no harm: it is not waited for them for long.
      for (let tries = 0; tries < 20 && !removeGroups(name); tries++) await systemClock.sleep(100)
    },
  }
}
