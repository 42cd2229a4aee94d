import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, relative, resolve } from 'node:path'
import { HoldfastError } from '../../../../kernel/std/index.ts'
import { nameFrom } from '../answers.ts'
import { draftOfCompose } from './compose/index.ts'
import type { Draft } from './draft.ts'
import { draftOfProcfile } from './procfile.ts'
import { notImportable } from './refuse.ts'

export { draftText } from './draft-text.ts'
export type { Draft, Note } from './draft.ts'

const mostBytes = 1024 * 1024

async function readSource(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > mostBytes) {
      throw notImportable(`${file} is larger than 1 MiB`, 'name a Compose file or a Procfile')
    }
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    throw new HoldfastError({
      code: 'cli.no-file',
      kind: 'user',
      message: `${file} cannot be read`,
      hint: 'name a Compose file or a Procfile with --from',
      cause,
    })
  }
}

/**
 * Makes a draft of an environment file for the directory `base` from what another tool runs: a Compose file or a
 * Procfile, known by its name. Errors: `cli.no-file`, `cli.not-importable`.
 */
export async function draftFrom(path: string, base: string): Promise<Draft> {
  const file = resolve(base, path)
  const text = await readSource(file)
  if (/\.ya?ml$/i.test(file)) return draftOfCompose(text, file, base)
  if (/^procfile/i.test(basename(file))) {
    return draftOfProcfile(text, relative(base, file), nameFrom(basename(dirname(file))))
  }
  throw notImportable(
    `${basename(file)} is neither a Compose file nor a Procfile`,
    'name it compose.yaml or Procfile',
  )
}
