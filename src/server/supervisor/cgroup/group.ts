import { readFileSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemCode } from '../../../kernel/std/index.ts'

/** Bounds of a group; null: none. */
export interface GroupLimits {
  readonly memoryMiB: number | null
  /** Cores, as 0.5 or 2. */
  readonly cpus: number | null
}

/** A control group of one replica. */
export interface Group {
  /** `cgroup.procs` of each hierarchy; a process that writes its pid there enters. */
  readonly joinFiles: readonly string[]
  pids(): readonly number[]
  /** Processor time used so far, milliseconds; null when not counted. */
  cpuMs(): number | null
  /** Memory without what the kernel could drop at once (inactive file pages), as kubelet counts it; null when not counted. */
  memoryBytes(): number | null
  /** The bounds that it has now, whoever set them; null: they cannot be read. */
  limits(): GroupLimits | null
  /** How often the kernel killed a member for want of memory. */
  outOfMemoryKills(): number
  /** Removes the group; answers false while somebody (a zombie, too) is in it. */
  remove(): boolean
}

/** Reads a file of a group; empty when it is not there. */
export function readGroupFile(directory: string | undefined, name: string): string {
  if (directory === undefined) return ''
  try {
    return readFileSync(join(directory, name), 'utf8')
  } catch {
    return ''
  }
}

/** Value of `key` in a flat file of lines `key value`; undefined when missing. */
export function keyedValue(text: string, key: string): number | undefined {
  const line = text.split('\n').find((item) => item.startsWith(`${key} `))
  const value = Number(line?.slice(key.length + 1))
  return line === undefined || Number.isNaN(value) ? undefined : value
}

/** A number in a file of one line; undefined when missing. */
export function singleValue(text: string): number | undefined {
  return /^\d+\n?$/.test(text) ? Number(text) : undefined
}

/** In version 1 the kernel says "no bound" by the largest number of bytes that it knows, rounded to pages. */
const endlessBytes = 2 ** 60

function boundFrom(text: string): number | null | undefined {
  const word = text.trim()
  if (word === 'max' || word === '-1') return null
  return singleValue(word)
}

/** Limits as files of the kernel say them: bytes, and microseconds of a period; null: one of them cannot be read. */
export function limitsFrom(bytes: string, quotaUs: string, periodUs: string): GroupLimits | null {
  const [memory, quota, period] = [boundFrom(bytes), boundFrom(quotaUs), singleValue(periodUs.trim())]
  if (memory === undefined || quota === undefined || period === undefined) return null
  return {
    memoryMiB: memory === null || memory >= endlessBytes ? null : memory / 2 ** 20,
    cpus: quota === null ? null : quota / period,
  }
}

/** Members of a group, of all its hierarchies. */
export function groupPids(directories: readonly string[]): readonly number[] {
  const pids = directories.flatMap((directory) =>
    readGroupFile(directory, 'cgroup.procs').split('\n').filter(Boolean).map(Number),
  )
  return [...new Set(pids)]
}

/** Removes directories of groups, and their parents when these are empty too. Answers whether the groups are gone. */
export function removeGroups(directories: readonly string[]): boolean {
  const gone = directories.filter(removeEmpty)
  for (const directory of gone) removeEmpty(dirname(directory))
  return gone.length === directories.length
}

/** Answers false while somebody is in it, or a sibling is: a later stop will remove it. */
function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    return systemCode(error) === 'ENOENT'
  }
}
