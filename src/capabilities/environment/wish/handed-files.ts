import { Buffer } from 'node:buffer'
import type { Specification } from '../../../contracts/supervisor.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { ServiceConfig } from '../config.ts'

/** Contents of ordinary files that an environment file names, base64, by their paths as they are written there. */
export type FileContents = Readonly<Record<string, string>>

/** Docker takes no less than one byte and, as a secret, less than this (SwarmKit, `MaxSecretSize`). */
export const mostFileBytes = 500 * 1024

/** Variable in which a replica finds the path of a file that it is handed: the convention of Docker's own images. */
export const fileVariable = (name: string): string => `${name}_FILE`

/** Where what is handed over comes from. */
interface Sources {
  readonly contents?: FileContents
  readonly hostVariables: Readonly<Record<string, string>>
}

/** What is in the files that a service is handed; nothing when it is handed none. */
export function handedFiles(
  files: ServiceConfig['files'],
  { contents = {}, hostVariables }: Sources,
): Pick<Specification, 'files'> {
  const handed = Object.entries(files).map(([name, from]) => {
    if (typeof from === 'string') return [name, { content: lookUp(contents, from) ?? '', secret: false }]
    const text = lookUp(hostVariables, from.variable) ?? ''
    return [name, { content: Buffer.from(text).toString('base64'), secret: true }]
  })
  return handed.length === 0 ? {} : { files: Object.fromEntries(handed) }
}
