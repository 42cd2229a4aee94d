import { basename, relative } from 'node:path'

const always = new Set(['node_modules', '.git', '.holdfast', '.venv', '__pycache__', '.cache'])
/** What programs and editors write beside sources: data, logs, half-written files. */
const never =
  /(?:\.log|\.pid|\.tmp|\.swp|\.swx|~|\.sqlite3?|\.db)(?:-\w+)?$|^(?:4913|\.DS_Store|\.#.*|#.*#)$|\.new\.ts$/

/** The lines of one `.gitignore`. */
export interface IgnoreFile {
  /** Absolute. */
  readonly directory: string
  readonly lines: readonly string[]
}

function patternOf(line: string): RegExp | null {
  const written = line.trim()
  if (written === '' || written.startsWith('#') || written.startsWith('!')) return null
  const bare = written.replace(/\/$/, '')
  const anchored = bare.includes('/')
  const glob = bare
    .replace(/^\//, '')
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (found) =>
      found.startsWith('**') ? '(?:.*)' : found === '*' ? '[^/]*' : '[^/]',
    )
  return new RegExp(`${anchored ? '^' : '(?:^|/)'}${glob}(?:/|$)`)
}

/**
 * Whether a path (absolute) is not watched: dependencies, data, logs, and what the `.gitignore` files say, without their
 * exceptions (`!`). Pure.
 */
export function createIgnore(files: readonly IgnoreFile[]): (path: string) => boolean {
  const rules = files.map(({ directory, lines }) => ({
    directory,
    patterns: lines.map(patternOf).filter((pattern) => pattern !== null),
  }))
  return (path) => {
    const name = basename(path)
    if (always.has(name) || never.test(name)) return true
    return rules.some(({ directory, patterns }) => {
      const way = relative(directory, path)
      return !way.startsWith('..') && patterns.some((pattern) => pattern.test(way))
    })
  }
}
