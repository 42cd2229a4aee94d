import type { Note } from '../draft.ts'
import { notImportable } from '../refuse.ts'
import { composeFile, type ComposeFile } from './config.ts'
import { interpolate } from './variables.ts'

/** A Compose file as read, with what its reading left to say. */
export interface ReadCompose {
  readonly file: ComposeFile
  readonly notes: readonly Note[]
}

const hint = 'see what compose itself says with "docker compose config"'

async function parseYaml(
  text: string,
  source: string,
): Promise<{ value: unknown; warnings: readonly string[] }> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { merge: true, prettyErrors: true })
  const [error] = document.errors
  if (error !== undefined) {
    const [at] = error.linePos ?? []
    const place = at === undefined ? source : `${source}:${at.line}:${at.col}`
    throw notImportable(`${place}: ${error.message.split(/ at line|\n/)[0] ?? ''}`, hint, error)
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return { value, warnings: document.warnings.map(({ message }) => message.split('\n')[0] ?? '') }
  } catch (cause) {
    throw notImportable(`${source}: ${(cause as Error).message}`, hint, cause)
  }
}

/** Replaces variables everywhere but in the environment of services, whose values may have to stay out of the file. */
function resolve(
  value: unknown,
  path: readonly string[],
  replace: (text: string, path: string) => string,
): unknown {
  if (typeof value === 'string') return replace(value, path.join('.'))
  if (path.length === 3 && path[2] === 'environment') return value
  if (Array.isArray(value)) return value.map((item) => resolve(item, path, replace))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolve(item, [...path, key], replace)]),
  )
}

function parseShape(value: unknown, source: string): ComposeFile {
  if (typeof value !== 'object' || value === null || !('services' in value)) {
    throw notImportable(
      `${source} has no "services"`,
      'name a Compose file: its services stand below the key "services" (version 2 or newer)',
    )
  }
  const parsed = composeFile.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw notImportable(`${source}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not readable'}`, hint)
}

/**
 * Reads a Compose file: YAML with anchors and merges, variables from `set` or their defaults, then its shape.
 * Errors: `cli.not-importable`.
 */
export async function readCompose(
  text: string,
  source: string,
  set: ReadonlyMap<string, string>,
): Promise<ReadCompose> {
  const { value, warnings } = await parseYaml(text, source)
  const notes: Note[] = warnings.map((says) => ({ about: source, says }))
  const replaced = resolve(value, [], (written, path) =>
    interpolate(written, set, (variable) =>
      notes.push({
        about: path,
        says: `the variable ${variable} is not set and has no default: nothing stands there`,
      }),
    ),
  )
  return { file: parseShape(replaced, source), notes }
}
