import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that some test needs and that is not ours. */
export interface Program {
  /** What tests call it. */
  readonly name: string
  /** The package of Debian and Ubuntu that brings it. */
  readonly package: string
  /** Its names on PATH, or absolute paths of it, the best first. */
  readonly commands: readonly string[]
  /** Too large to be asked of everybody: it is never installed, and its tests are skipped without it, on CI too. */
  readonly isOptional?: boolean
}

/** Every program that a test needs beside Node; on Debian as root the test command installs what is missing of them. */
export const programs: readonly Program[] = [
  { name: 'chromium', package: 'chromium', commands: ['chromium', 'chromium-browser', 'google-chrome'] },
  { name: 'python3', package: 'python3', commands: ['python3'] },
  { name: 'curl', package: 'curl', commands: ['curl'] },
  { name: 'redis-server', package: 'redis-server', commands: ['redis-server', 'valkey-server'] },
  {
    name: 'postgres',
    package: 'postgresql',
    commands: ['postgres', ...[15, 16, 17, 18].map((major) => `/usr/lib/postgresql/${major}/bin/postgres`)],
  },
  { name: 'mariadbd', package: 'mariadb-server', commands: ['mariadbd', '/usr/sbin/mariadbd'] },
  { name: 'faketime', package: 'faketime', commands: ['faketime'] },
  { name: 'openssl', package: 'openssl', commands: ['openssl'] },
  { name: 'dockerd', package: 'docker.io', commands: ['dockerd'] },
  { name: 'docker-registry', package: 'docker-registry', commands: ['docker-registry'] },
  { name: 'busybox', package: 'busybox-static', commands: ['busybox'] },
  { name: 'ip', package: 'iproute2', commands: ['ip'] },
  { name: 'nsenter', package: 'util-linux', commands: ['nsenter'] },
  { name: 'systemd-analyze', package: 'systemd', commands: ['systemd-analyze'], isOptional: true },
  {
    name: 'systemd',
    package: 'systemd',
    commands: ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'],
    isOptional: true,
  },
  { name: 'go', package: 'golang-go', commands: ['go'], isOptional: true },
]

function declared(name: string): Program {
  const program = programs.find((each) => each.name === name)
  if (program === undefined) throw new Error(`"${name}" is not declared in test/support/programs.ts`)
  return program
}

function findOnPath(command: string): string | null {
  const folders = command.startsWith('/')
    ? ['/']
    : (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
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
  return (
    declared(name)
      .commands.map(findOnPath)
      .find((file) => file !== null) ?? null
  )
}

/** Whether tests go without a program where it is missing, on CI too. */
export function isOptional(name: string): boolean {
  return declared(name).isOptional === true
}

/** The programs that are missing on this machine and ought not to be. */
export function missingPrograms(): readonly Program[] {
  return programs.filter(({ name }) => !isOptional(name) && findProgram(name) === null)
}
