import { watch, type FSWatcher } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../../kernel/std/index.ts'
import type { IgnoreFile } from './ignore.ts'

const settleMs = 200
/** What never settles is told nevertheless. */
const patienceMs = 1000
const mostDirectories = 5000
const mostIgnoreBytes = 64 * 1024

/** Watches directories. */
export interface Watch {
  /** Watches these directories (absolute) with all below them, and no longer any other. */
  follow(roots: readonly string[]): Promise<void>
  close(): void
  /** There are more directories than can be watched. */
  isPartial(): boolean
}

/** What a watch tells. */
export interface WatchGround {
  readonly isIgnored: (path: string) => boolean
  /** Paths (absolute) that changed, when nothing has changed for a moment. */
  readonly onChange: (paths: readonly string[]) => void
}

/** The `.gitignore` of a directory; none when there is none, or a very large one. */
export async function readIgnoreFile(directory: string): Promise<IgnoreFile> {
  const file = join(directory, '.gitignore')
  const size = (await stat(file).catch(() => null))?.size ?? 0
  const text = size > mostIgnoreBytes ? '' : await readFile(file, 'utf8').catch(() => '')
  return { directory, lines: text.split(/\r?\n/) }
}

/** Gathers paths until none has come for a moment. */
function gather(onChange: (paths: readonly string[]) => void) {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let firstMs = 0
  return {
    add: (path: string): void => {
      const nowMs = systemClock.monotonicMs()
      if (changed.size === 0) firstMs = nowMs
      changed.add(path)
      if (nowMs - firstMs > patienceMs) return
      clearTimeout(timer)
      timer = setTimeout(() => {
        const paths = [...changed].sort()
        changed.clear()
        onChange(paths)
      }, settleMs)
    },
    stop: (): void => clearTimeout(timer),
  }
}

/**
 * Creates a watch. It looks at each directory by itself, for a recursive one would look into dependencies too, of which
 * there are thousands.
 */
export function createWatch({ isIgnored, onChange }: WatchGround): Watch {
  const watchers = new Map<string, FSWatcher>()
  const gathered = gather(onChange)
  let partial = false
  const forget = (directory: string): void => {
    watchers.get(directory)?.close()
    watchers.delete(directory)
  }
  const add = async (directory: string): Promise<void> => {
    if (watchers.has(directory)) return
    if (watchers.size >= mostDirectories) {
      partial = true
      return
    }
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => null)
    if (entries === null || watchers.has(directory)) return
    try {
      const watcher = watch(directory, (_, name) => {
        if (name !== null) void seen(join(directory, name))
      })
      watcher.on('error', () => forget(directory))
      watchers.set(directory, watcher)
    } catch {
      partial = true // The machine allows no more.
      return
    }
    const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name))
    for (const path of below) if (!isIgnored(path)) await add(path)
  }
  const seen = async (path: string): Promise<void> => {
    if (isIgnored(path)) return
    const found = await stat(path).catch(() => null)
    if (found === null) forget(path)
    if (found?.isDirectory() !== true) return gathered.add(path)
    if (watchers.has(path)) return
    await add(path)
    // What was in it before it was watched has changed, too.
    gathered.add(path)
  }
  return {
    follow: async (roots) => {
      for (const directory of watchers.keys()) {
        if (!roots.some((root) => directory === root || directory.startsWith(`${root}/`))) forget(directory)
      }
      for (const root of roots) await add(root)
    },
    close: () => {
      gathered.stop()
      for (const directory of watchers.keys()) forget(directory)
    },
    isPartial: () => partial,
  }
}
