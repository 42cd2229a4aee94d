import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../kernel/std/index.ts'

/** What a tree of files holds. */
export interface TreeDigest {
  /** SHA-256 over names, modes and contents, hex. */
  readonly digest: string
  readonly files: number
  readonly sizeBytes: number
}

/** More is hardly a release, and would fill the disk. */
const mostFiles = 500_000
const mostBytes = 8 * 2 ** 30

/** Hashes a tree in the order of its names; links count by where they point. Errors: `environment.release-too-large`. */
export async function digestTree(root: string, signal: AbortSignal): Promise<TreeDigest> {
  const hash = createHash('sha256')
  const total = { files: 0, sizeBytes: 0 }
  const visit = async (relative: string): Promise<void> => {
    const entries = await readdir(join(root, relative), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      signal.throwIfAborted()
      const path = join(relative, entry.name)
      if (entry.isDirectory()) {
        hash.update(`directory ${path}\0`)
        await visit(path)
      } else {
        await digestFile(join(root, path), path, { hash, total })
      }
    }
  }
  await visit('')
  return { digest: hash.digest('hex'), ...total }
}

interface Sums {
  readonly hash: Hash
  readonly total: { files: number; sizeBytes: number }
}

async function digestFile(path: string, name: string, { hash, total }: Sums): Promise<void> {
  const found = await lstat(path)
  total.files++
  total.sizeBytes += found.size
  if (total.files > mostFiles || total.sizeBytes > mostBytes) throw tooLarge(total)
  if (found.isSymbolicLink()) {
    hash.update(`link ${name}\0${await readlink(path)}\0`)
    return
  }
  hash.update(`file ${name}\0${(found.mode & 0o111) === 0 ? '-' : 'x'}\0${found.size}\0`)
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk)
}

function tooLarge({ files, sizeBytes }: Sums['total']): HoldfastError {
  return new HoldfastError({
    code: 'environment.release-too-large',
    kind: 'user',
    message: `a release of more than ${files - 1} files or ${Math.floor(sizeBytes / 2 ** 20)} MiB is not taken`,
    hint: 'name a directory that holds only what the service needs to run',
  })
}
