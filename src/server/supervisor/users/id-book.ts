import { parseJson, readIfThere, replaceFile } from '../../files/index.ts'
import { chooseId, isOurs } from './identity.ts'

/** Which id stands for which name in this environment; kept on disk, for files belong to ids. */
export interface IdBook {
  /** The id of a name, given to it when it has none; undefined when none is left. Throws the system's error. */
  idOf(name: string): number | undefined
}

/** What a book works with. */
export interface IdBookParts {
  readonly path: string
  readonly environment: string
  /** Ids of others. One of our names whose id is among them gets another. */
  readonly taken: ReadonlySet<number>
}

/** Opens the book; a file that does not read counts as an empty one. */
export function openIdBook({ path, environment, taken }: IdBookParts): IdBook {
  const ids = new Map(readIds(path).filter(([, id]) => !taken.has(id)))
  return {
    idOf: (name) => {
      const known = ids.get(name)
      if (known !== undefined) return known
      const id = chooseId(environment, name, new Set([...taken, ...ids.values()]))
      if (id === undefined) return undefined
      replaceFile(path, JSON.stringify(Object.fromEntries([...ids, [name, id]])), true)
      ids.set(name, id)
      return id
    },
  }
}

function readIds(path: string): readonly (readonly [string, number])[] {
  const json = parseJson(readIfThere(path) ?? '{}')
  const entries = Object.entries((json ?? {}) as Record<string, unknown>)
  return entries.filter(
    (entry): entry is [string, number] => Number.isInteger(entry[1]) && isOurs(Number(entry[1])),
  )
}
