import { execFile } from 'node:child_process'
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError, systemCode } from '../../../kernel/std/index.ts'
import { readUnit, type InstalledUnit } from './unit.ts'

/** A unit of ours on this machine. */
export interface FoundUnit extends InstalledUnit {
  /** As `holdfast-arcade.service`. */
  readonly name: string
  readonly file: string
}

const timeoutMs = 700_000

/** Where units of the machine's administrator lie, below the root of a file system. */
export const unitsDirectory = (root: string): string => join(root, 'etc', 'systemd', 'system')

/** Units of ours, in the order of their names. */
export async function findUnits(root: string): Promise<readonly FoundUnit[]> {
  const directory = unitsDirectory(root)
  const names = await readdir(directory).catch(() => [])
  const found = await Promise.all(
    names
      .filter((name) => /^holdfast-.*\.service$/.test(name))
      .sort()
      .map(async (name) => {
        const file = join(directory, name)
        const unit = readUnit(await readFile(file, 'utf8').catch(() => ''))
        return unit === undefined ? [] : [{ ...unit, name, file }]
      }),
  )
  return found.flat()
}

/** Writes a unit (mode 0644). Errors: `install.not-permitted`. */
export async function writeUnit(file: string, text: string): Promise<void> {
  await explained(file, async () => {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { mode: 0o644 })
  })
}

/** Removes a unit. Errors: `install.not-permitted`. */
export async function removeUnit(file: string): Promise<void> {
  await explained(file, () => rm(file, { force: true }))
}

async function explained(file: string, act: () => Promise<void>): Promise<void> {
  await act().catch((cause: unknown) => {
    throw new HoldfastError({
      code: 'install.not-permitted',
      kind: 'user',
      message: `${file} cannot be written (${systemCode(cause) ?? String(cause)})`,
      hint: 'do it as root (sudo), or look at the unit with "holdfast install --print"',
      cause,
    })
  })
}

/** Whether systemd runs this machine, see sd_booted(3). */
export function hasSystemd(): Promise<boolean> {
  return access('/run/systemd/system').then(
    () => true,
    () => false,
  )
}

/** Runs `systemctl`. Errors: `install.systemd-failed` with what it said. */
export function systemctl(...words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemctl', words, { timeout: timeoutMs }, (cause, _, stderr) => {
      if (cause === null) return resolve()
      reject(
        new HoldfastError({
          code: 'install.systemd-failed',
          kind: 'operational',
          message: `systemctl ${words.join(' ')}: ${stderr.trim() || cause.message}`,
          hint: 'journalctl -e shows what systemd says about it',
          cause,
        }),
      )
    })
  })
}
