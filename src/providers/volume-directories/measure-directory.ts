import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../kernel/std/index.ts'

/** Counting more takes longer than anybody wants to wait for a number. */
const mostEntries = 100_000
/** Names are looked at in bundles: one after the other is slow, all at once is much memory. */
const bundle = 64

const gone = (error: unknown): undefined => {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}

/** Bytes of the files in one directory, and the directories in it; what goes while we look counts nothing. */
async function measureOne(
  directory: string,
  names: readonly string[],
): Promise<{ readonly bytes: number; readonly inner: readonly string[] }> {
  const inner: string[] = []
  let bytes = 0
  for (let from = 0; from < names.length; from += bundle) {
    const paths = names.slice(from, from + bundle).map((name) => join(directory, name))
    const found = await Promise.all(paths.map((path) => lstat(path).catch(gone)))
    for (const [index, stats] of found.entries()) {
      if (stats?.isDirectory() === true) inner.push(paths[index] ?? '')
      else bytes += stats?.size ?? 0
    }
  }
  return { bytes, inner }
}

/** Bytes of the files below a directory; null: there are too many of them. Errors: the system's, EACCES among them. */
export async function measureDirectory(directory: string, most = mostEntries): Promise<number | null> {
  const waiting = [directory]
  let bytes = 0
  let entries = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const names = (await readdir(next).catch(gone)) ?? []
    entries += names.length
    if (entries > most) return null
    const measured = await measureOne(next, names)
    bytes += measured.bytes
    waiting.push(...measured.inner)
  }
  return bytes
}
