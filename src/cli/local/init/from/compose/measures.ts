import { formatDuration } from '../../../../../kernel/std/index.ts'
import type { Drafted, Note } from '../draft.ts'
import type { ComposePart } from './config.ts'

const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
}
const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `512M`, `1.5gb`, `1073741824` in MiB, rounded; null: not readable, or less than a replica can have. */
export function mebibytesOf(text: string | undefined): number | null {
  const [, digits, unit = 'b'] = /^\s*(\d+(?:\.\d+)?)\s*([bkmgt])?i?b?\s*$/i.exec(text ?? '') ?? []
  if (digits === undefined) return null
  const size = Math.round((Number(digits) * (unitBytes[unit.toLowerCase()] ?? 1)) / 1024 ** 2)
  return size < 16 ? null : size
}

/** `1m30s` as Holdfast writes it, `90s`; null: not readable, or nothing. */
export function durationOf(text: string | undefined): string | null {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+$/.test(text)) return null
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)]
  const totalMs = parts.reduce((sum, [, digits, unit = '']) => sum + Number(digits) * (unitMs[unit] ?? 0), 0)
  return totalMs < 1 ? null : formatDuration(Math.round(totalMs))
}

/** Cores, as `0.5`; null: not readable. */
export function coresOf(text: string | undefined): number | null {
  const cores = Number(text ?? '')
  return cores > 0 && cores <= 1024 ? cores : null
}

/** A measure as it was written, where, and as it was read; null: it was not readable. */
interface Measure {
  readonly key: string
  readonly written: string | undefined
  readonly read: string | number | null
}

function readMeasures({ deploy, mem_limit: memory, cpus, ...service }: ComposePart): readonly Measure[] {
  const limits = deploy?.resources?.limits
  const start = service.healthcheck?.start_period
  const stop = service.stop_grace_period
  return [
    { key: 'deploy.resources.limits.memory', written: limits?.memory, read: mebibytesOf(limits?.memory) },
    { key: 'mem_limit', written: memory, read: mebibytesOf(memory) },
    { key: 'deploy.resources.limits.cpus', written: limits?.cpus, read: coresOf(limits?.cpus) },
    { key: 'cpus', written: cpus, read: coresOf(cpus) },
    { key: 'healthcheck.start_period', written: start, read: durationOf(start) },
    { key: 'stop_grace_period', written: stop, read: durationOf(stop) },
  ]
}

const replicasOf = ({ deploy, scale = 1 }: ComposePart): number => deploy?.replicas ?? scale

/** How many of a service run, what each may use, and how long it may take; null: the default. */
export function measuresOf(
  service: ComposePart,
): Pick<Drafted, 'replicas' | 'memoryMiB' | 'cpus' | 'startTimeout' | 'stopTimeout'> {
  const replicas = replicasOf(service)
  const limits = { memory: service.mem_limit, cpus: service.cpus, ...service.deploy?.resources?.limits }
  return {
    replicas: replicas > 1 ? replicas : null,
    memoryMiB: mebibytesOf(limits.memory),
    cpus: coresOf(limits.cpus),
    startTimeout: durationOf(service.healthcheck?.start_period),
    stopTimeout: durationOf(service.stop_grace_period),
  }
}

/** The measures that could not be read, as notes. */
export function measureNotes(path: string, service: ComposePart): readonly Note[] {
  return readMeasures(service)
    .filter(({ written, read }) => written !== undefined && read === null)
    .map(({ key, written = '' }) => ({
      about: `${path}.${key}`,
      says: `"${written}" is not readable, or out of bounds`,
    }))
}
