import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that some test needs and that is not ours. */
export interface Program {
  /** What tests call it. */
  readonly name: string
  /** The package of Debian and Ubuntu that brings it. */
  readonly package: string
  /** Its names on PATH, the best first. */
  readonly commands: readonly string[]
}

/** Every program that a test needs beside Node; the test command installs what is missing on Debian as root. */
export const programs: readonly Program[] = [
  { name: 'chromium', package: 'chromium', commands: ['chromium', 'chromium-browser', 'google-chrome'] },
  { name: 'python3', package: 'python3', commands: ['python3'] },
  { name: 'curl', package: 'curl', commands: ['curl'] },
  { name: 'redis-server', package: 'redis-server', commands: ['redis-server', 'valkey-server'] },
  { name: 'openssl', package: 'openssl', commands: ['openssl'] },
]

function findOnPath(command: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const folder of folders) {
    const file = join(folder, command)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // not here
    }
  }
  return null
}

/** Absolute path of a program, or null when it is missing. The name must be one of `programs`. */
export function findProgram(name: string): string | null {
  const program = programs.find((each) => each.name === name)
  if (program === undefined) throw new Error(`"${name}" is not declared in test/support/programs.ts`)
  return program.commands.map(findOnPath).find((file) => file !== null) ?? null
}

/** The programs that are missing on this machine. */
export function missingPrograms(): readonly Program[] {
  return programs.filter(({ name }) => findProgram(name) === null)
}
