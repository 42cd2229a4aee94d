import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** Why a command cannot be started, in words; null when it can. */
export function whyUnstartable(
  command: readonly string[],
  directory: string,
  searchPath: string | undefined,
): string | null {
  const program = command[0] ?? ''
  if (!isDirectory(directory)) return `no such directory: ${directory}`
  if (program === '') return 'the command is empty'
  if (program.includes('/')) return whyNot(isAbsolute(program) ? program : join(directory, program), program)
  const found = (searchPath ?? '/usr/local/bin:/usr/bin:/bin')
    .split(delimiter)
    .some((place) => place !== '' && whyNot(join(place, program), program) === null)
  return found ? null : `no such program: ${program} (looked in PATH)`
}

function whyNot(file: string, program: string): string | null {
  try {
    if (!statSync(file).isFile()) return `not a program: ${program}`
  } catch {
    return `no such program: ${program}`
  }
  try {
    accessSync(file, constants.X_OK)
    return null
  } catch {
    return `not executable: ${program}`
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
