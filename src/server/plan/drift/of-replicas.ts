import type { Tampering } from '../../../contracts/supervisor.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { DriftItem } from './item.ts'

const amount = (value: number | null, unit: string): string =>
  value === null
    ? `any ${unit === 'MiB' ? 'memory' : 'number of cores'}`
    : `${Math.round(value * 100) / 100} ${unit}`

function sayLimits({ memoryMiB, cpus }: Tampering['limits'][number]): string {
  const say = (which: 'is' | 'wished'): string =>
    `${amount(memoryMiB[which], 'MiB')} and ${amount(cpus[which], 'cores')}`
  return `its limits were changed by hand: it may use ${say('is')}, and ${say('wished')} are wished`
}

/** What somebody did to processes by hand. `illSince`: when each service was last said not to be well. */
export function driftOfReplicas(
  { strays, frozen, limits }: Tampering,
  illSince: Readonly<Record<string, number>>,
): readonly DriftItem[] {
  const serviceOf = (replica: string): string => replica.split('/')[0] ?? ''
  return [
    ...frozen.map((replica) => ({
      object: `replica ${replica}`,
      says: 'its process was stopped by a signal and does nothing',
      since: lookUp(illSince, serviceOf(replica)) ?? null,
    })),
    ...limits.map((limit) => ({
      object: `replica ${limit.replica}`,
      says: sayLimits(limit),
      // The kernel does not say when.
      since: null,
    })),
    ...strays.map(({ pid, replica, startedAt }) => ({
      object: `process ${pid}`,
      says: `left over: it bears the mark of ${replica}, and belongs to none that runs`,
      since: Math.floor(startedAt),
    })),
  ]
}
