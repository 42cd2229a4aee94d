import type { EnvironmentFile } from '../composition/index.ts'
import { HoldfastError, saySize } from '../../kernel/std/index.ts'

const mib = 2 ** 20
/** Supervisor, control and an edge of a few threads. */
const houseBytes = 384 * mib
/** What a service may come to that says nothing about its memory. */
const unboundedBytes = 128 * mib
const leastDiskBytes = 512 * mib

/** What is free on this machine, bytes. */
export interface Free {
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** Memory that a second environment may come to, one replica of each service, bytes. Pure. */
export function neededMemory({ services }: Pick<EnvironmentFile, 'services'>): number {
  return Object.values(services)
    .filter(({ address }) => address === undefined)
    .map(({ resources }) => (resources.memoryMiB === undefined ? unboundedBytes : resources.memoryMiB * mib))
    .reduce((sum, bytes) => sum + bytes, houseBytes)
}

/** Refuses a second environment that would take what the first one needs. Pure. Errors: `environment.rebuild-no-room`. */
export function refuseWithoutRoom(environment: Pick<EnvironmentFile, 'services'>, free: Free): void {
  const needed = neededMemory(environment)
  const lacks = [
    ...(free.memoryBytes < needed
      ? [`it may need ${saySize(needed)} of memory and ${saySize(free.memoryBytes)} are free`]
      : []),
    ...(free.diskBytes < leastDiskBytes
      ? [`${saySize(leastDiskBytes)} of disk have to be free and ${saySize(free.diskBytes)} are`]
      : []),
  ]
  if (lacks.length === 0) return
  throw new HoldfastError({
    code: 'environment.rebuild-no-room',
    kind: 'operational',
    message: `there is no room for a second environment beside this one: ${lacks.join('; ')}`,
    hint: 'free some, bound the services with "resources.memoryMiB", or rebuild on another machine',
  })
}
