import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { environment as environmentRoom } from '../../capabilities/environment/index.ts'
import { systemCode } from '../../kernel/std/index.ts'
import type { EnvironmentFile } from './config.ts'
import type { Problem } from './problems.ts'

/** Ordinary files that an environment file hands to services: their contents, base64, by path as written. */
export type FileContents = Readonly<Record<string, string>>

interface NamedFile {
  /** Of the key. */
  readonly path: string
  /** As written. */
  readonly file: string
}

function filesNamed({ services }: Pick<EnvironmentFile, 'services'>): readonly NamedFile[] {
  return Object.entries(services).flatMap(([service, { files }]) =>
    Object.entries(files).flatMap(([name, file]) =>
      typeof file === 'string' ? [{ path: `services.${service}.files.${name}`, file }] : [],
    ),
  )
}

/** Absolute paths of the ordinary files that services are handed. */
export function handedPaths(
  directory: string,
  environment: Pick<EnvironmentFile, 'services'>,
): readonly string[] {
  return filesNamed(environment).map(({ file }) => resolve(directory, file))
}

/** What keeps a file from being handed to a service, in words; null: nothing. */
async function troubleWith(path: string): Promise<string | null> {
  try {
    const found = await stat(path)
    return found.isFile() ? environmentRoom.sayUnfitSize(found.size) : 'is no file'
  } catch (error) {
    return `cannot be read (${systemCode(error) ?? 'unknown reason'})`
  }
}

/** Reads the files that services are handed; what cannot be handed is left out, and `findUnfitContents` says why. */
export async function readContents(
  directory: string,
  environment: Pick<EnvironmentFile, 'services'>,
): Promise<FileContents> {
  const contents: Record<string, string> = {}
  for (const { file } of filesNamed(environment)) {
    const path = resolve(directory, file)
    if ((await troubleWith(path)) !== null) continue
    const bytes = await readFile(path).catch(() => null)
    if (bytes !== null) contents[file] = bytes.toString('base64')
  }
  return contents
}

/** Files that services are to be handed and that cannot be. */
export async function findUnfitContents(
  directory: string,
  environment: Pick<EnvironmentFile, 'services'>,
): Promise<readonly Problem[]> {
  const found = await Promise.all(
    filesNamed(environment).map(async ({ path, file }): Promise<readonly Problem[]> => {
      const trouble = await troubleWith(resolve(directory, file))
      const message = `the file ${resolve(directory, file)} ${trouble}`
      return trouble === null
        ? []
        : [{ path, message, hint: 'write its path relative to the environment file' }]
    }),
  )
  return found.flat()
}
