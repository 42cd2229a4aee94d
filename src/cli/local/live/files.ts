import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

const skipped = new Set(['node_modules', '.git', '.holdfast', '.venv', 'vendor', 'target'])
const mostEntries = 20_000

/** Whether a path looks like a log, relative to the directory of a service. */
export function isLog(path: string): boolean {
  return /\.log(?:\.\d+)?$|(?:^|\/)logs?\/|(?:^|\/)(?:nohup|console|stdout|stderr|output)\.(?:out|txt|err)$/i.test(
    path,
  )
}

/** Logs below a directory with when they were last written, milliseconds; of a very large tree a part. */
export async function logsBelow(directory: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  const waiting = [directory]
  let seen = 0
  for (let folder = waiting.pop(); folder !== undefined && seen < mostEntries; folder = waiting.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      seen++
      const path = join(folder, entry.name)
      const name = relative(directory, path)
      if (entry.isDirectory() && !skipped.has(entry.name)) waiting.push(path)
      if (entry.isFile() && isLog(name)) found.set(name, (await stat(path).catch(() => null))?.mtimeMs ?? 0)
    }
  }
  return found
}

/** The logs that were written to between two looks. */
export function writtenBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly string[] {
  return [...after].filter(([name, at]) => before.get(name) !== at).map(([name]) => name)
}

/** The access mode of a descriptor in `/proc/<pid>/fdinfo` (proc(5)): the lowest two bits of the octal flags. */
function isWritable(pid: number, descriptor: string): boolean {
  const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'))?.[1]
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0
}

function openOf(pid: number, directory: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`)
        const inside =
          target.startsWith(`${directory}/`) &&
          !relative(directory, target)
            .split('/')
            .some((part) => skipped.has(part))
        return inside && statSync(target).isFile() && isWritable(pid, descriptor)
          ? [relative(directory, target)]
          : []
      } catch {
        return [] // It was closed between the two looks.
      }
    })
  } catch {
    return []
  }
}

/** Files below a directory that processes hold open for writing, relative to it. */
export function openFiles(pids: readonly number[], directory: string): readonly string[] {
  return [...new Set(pids.flatMap((pid) => openOf(pid, directory)))].sort()
}
