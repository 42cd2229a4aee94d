import { resolve } from 'node:path'
import type { SecretPlace } from '../../../contracts/edge-policy.ts'

/** Where the file of the environment says that a secret is: one of the two. */
export interface WrittenSecret {
  readonly file: string | undefined
  readonly variable: string | undefined
}

/** Where the edge reads a secret; relative paths start at `directory`; without one they stay as written. */
export function secretPlaceOf(
  { file, variable = '' }: WrittenSecret,
  directory: string | undefined,
): SecretPlace {
  if (file === undefined) return { kind: 'variable', variable }
  return { kind: 'file', file: directory === undefined ? file : resolve(directory, file) }
}
