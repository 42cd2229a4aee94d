import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
