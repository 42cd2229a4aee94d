import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One file of the console, in memory. */
export interface ConsoleFile {
  readonly body: Buffer
  readonly type: string
  /** Strong validator. */
  readonly tag: string
  /** Its name changes with its content. */
  readonly isImmutable: boolean
}

/** The built console, by URL path; null: it is not built. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
}

const maxFiles = 500
const maxBytes = 32 * 2 ** 20

/** Headers of every page: only our own scripts and styles, never in a frame. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Page that stands in for a console that is not built. */
export const notBuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Holdfast</title>
<h1>The console is not built</h1>
<p>Control runs. Build the console with <code>npm run build</code>, or use the command line: <code>holdfast status</code>.</p>
</html>
`

/** Directory of the built console: `dist/console` of a clone, `console` of the published package. */
export function findConsole(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory)
  }
  const built = join(directory, 'dist', 'console')
  return existsSync(built) ? built : join(directory, 'console')
}

async function load(directory: string, path: string): Promise<[string, ConsoleFile] | null> {
  const type = types[extname(path)]
  if (type === undefined || !(await stat(path)).isFile()) return null
  const body = await readFile(path)
  const url = `/${relative(directory, path).split(sep).join('/')}`
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
  return [url, { body, type, tag, isImmutable: url.startsWith('/assets/') }]
}

/** Reads the built console into memory, at most 500 files and 32 MiB; only what is in this map is ever served. */
export async function loadConsole(directory: string): Promise<ConsoleFiles | null> {
  const names = await readdir(directory, { recursive: true }).catch(() => null)
  if (names === null) return null
  const files = new Map<string, ConsoleFile>()
  let sizeBytes = 0
  for (const name of names.slice(0, maxFiles)) {
    const loaded = await load(directory, join(directory, name))
    if (loaded === null) continue
    sizeBytes += loaded[1].body.length
    if (sizeBytes > maxBytes) break
    files.set(...loaded)
  }
  return files.has('/index.html') ? files : null
}

/** The file for a path: itself, or the page for a path that only the console knows. Undefined: there is none. */
export function fileFor(files: ConsoleFiles, path: string): ConsoleFile | undefined {
  return files.get(path) ?? (extname(path) === '' ? files.get('/index.html') : undefined)
}
