import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../../kernel/std/index.ts'

/** macOS allows 103 bytes in a socket's path, Linux 107; both with the closing NUL beside them. */
const mostBytes = 103

/** Path for the edge's socket: `edge/edge.sock`, or a short one below the temporary directory when that is too long. */
export function edgeSocketPath(dataDirectory: string): string {
  const place = join(dataDirectory, 'edge')
  mkdirSync(place, { recursive: true, mode: 0o700 })
  const path = join(place, 'edge.sock')
  if (Buffer.byteLength(path) <= mostBytes) return path
  const digits = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12)
  const directory = join(tmpdir(), `holdfast-edge-${digits}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  refuseForeign(directory)
  return join(directory, 'edge.sock')
}

/** Removes the directory of a short path, when it was one and nothing else is in it. */
export function removeShortPlace(path: string): void {
  const place = dirname(path)
  if (dirname(place) !== tmpdir()) return
  try {
    rmdirSync(place)
  } catch {
    // Somebody else's things are in it, or it is gone.
  }
}

/** Others may write in the temporary directory too: what lies there must be a directory of our own. */
function refuseForeign(directory: string): void {
  const stat = lstatSync(directory)
  if (!stat.isDirectory() || stat.uid !== (process.getuid?.() ?? stat.uid)) {
    throw new HoldfastError({
      code: 'data.unwritable',
      kind: 'operational',
      message: `${directory} belongs to somebody else`,
      hint: 'choose a data directory with a shorter path',
    })
  }
  chmodSync(directory, 0o700)
}
