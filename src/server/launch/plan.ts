import { availableParallelism } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  handedPaths,
  namedFiles,
  type EnvironmentFile,
  type PlacedEnvironment,
} from '../composition/index.ts'
import { socketOf } from '../engine/index.ts'
import type { SupervisorPlan } from '../supervisor/index.ts'
import type { Place } from './sockets.ts'
import { programVersion } from './version.ts'

/** Descriptors for threads that replace dead ones: Node closes a descriptor with its thread. */
const spareThreads = 4

/** Where the environment is to listen: first all listeners of the edge, then control. */
export function placesOf(environment: EnvironmentFile): readonly Place[] {
  const { edge, control } = environment
  return [
    ...edge.listen.map(({ host, port }, index) => ({
      host,
      port,
      path: `edge.listen.${index}.port`,
      flag: index === 0 ? '--edge-port' : 'another "port" in the file',
    })),
    { host: control.host, port: control.port, path: 'control.port', flag: '--control-port' },
  ]
}

/** How many threads the edge gets: one is left to the services. */
export function edgeThreads(environment: EnvironmentFile): number {
  return environment.edge.threads ?? Math.max(1, availableParallelism() - 1)
}

function script(path: string): string {
  return fileURLToPath(new URL(`../${path}${extname(import.meta.url)}`, import.meta.url))
}

/** The variable with the secret of sessions, if the file names one and it is set. */
function sessionSecret({ edge }: EnvironmentFile): Readonly<Record<string, string>> {
  const name = edge.identity?.session?.secretVariable
  const value = name === undefined ? undefined : process.env[name]
  return name === undefined || value === undefined ? {} : { [name]: value }
}

/** What control alone reads: files that it hands on, and the socket of Docker, without which it could run nothing. */
function readByControl({ directory, environment }: PlacedEnvironment): readonly string[] {
  const socketPath = socketOf(environment)
  return [...handedPaths(directory, environment), ...(socketPath === null ? [] : [socketPath])]
}

const hugePages = 'glibc.malloc.hugetlb=1'

/**
 * Lets the edge's table of limits lie in huge pages, where the kernel leaves that to programs (`madvise`): its accounts
 * lie far apart, so that with small pages nearly each decision misses the cache of addresses. See the glibc manual,
 * "Memory Allocation Tunables". What is set already goes on to count.
 */
export function hugePageVariables(platform: string, before: string | undefined): Record<string, string> {
  if (platform !== 'linux') return {}
  return { GLIBC_TUNABLES: before === undefined || before === '' ? hugePages : `${before}:${hugePages}` }
}

/** What the supervisor is to keep alive; `descriptors` in the order of `placesOf`, numbered as the supervisor has them. */
export function supervisorPlan(
  placed: PlacedEnvironment,
  dataDirectory: string,
  descriptors: readonly number[],
): SupervisorPlan {
  const { environment } = placed
  const copies = edgeThreads(environment) + spareThreads
  const edgeSockets = environment.edge.listen.map((listener, index) => ({
    host: listener.host,
    port: listener.port,
    descriptors: Array.from({ length: copies }, (_, copy) => 3 + index * copies + copy),
  }))
  const inherited = environment.edge.listen.flatMap(
    (_, index) => Array(copies).fill(descriptors[index] ?? -1) as number[],
  )
  const { host, port } = environment.control
  const common = {
    HOLDFAST_DATA: dataDirectory,
  }
  // Compiled code is kept between starts: control is back from a crash in half the time. Each trusts its own only.
  const compiled = (name: string) => ({ NODE_COMPILE_CACHE: join(dataDirectory, 'compiled', name) })
  const reads = namedFiles(placed)
  return {
    dataDirectory,
    version: programVersion(),
    node: process.execPath,
    processes: [
      {
        name: 'control',
        script: script('control/main'),
        arguments: [],
        descriptors: descriptors.slice(-1),
        reads: [placed.directory, placed.file, ...reads, ...readByControl(placed)],
        variables: {
          ...common,
          ...compiled('control'),
          HOLDFAST_CONTROL: JSON.stringify({ host, port, descriptor: 3 }),
        },
      },
      {
        name: 'edge',
        script: script('edge/main'),
        arguments: [],
        descriptors: inherited,
        reads,
        variables: {
          ...common,
          ...compiled('edge'),
          HOLDFAST_LISTENERS: JSON.stringify(edgeSockets),
          HOLDFAST_EDGE_THREADS: String(edgeThreads(environment)),
          ...sessionSecret(environment),
          ...hugePageVariables(process.platform, process.env['GLIBC_TUNABLES']),
        },
      },
    ],
  }
}
