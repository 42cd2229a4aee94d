import type { EnvironmentInput } from './server/composition/config.ts'

/**
 * Types the environment file: `export default defineEnvironment({ ... })` in `holdfast.config.ts`.
 * It returns what it was given; the file is checked when Holdfast reads it.
 */
export function defineEnvironment(environment: EnvironmentInput): EnvironmentInput {
  return environment
}

export type { EnvironmentInput } from './server/composition/config.ts'
