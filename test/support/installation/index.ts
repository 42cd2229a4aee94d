import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')

/** A second Holdfast on this machine. */
export interface SecondInstallation {
  readonly directory: string
  /** Replaces a text in one of its files. */
  change(file: string, from: string, to: string): void
  remove(): void
}

/** Copies this installation to a place of its own, with another version number and the same dependencies. */
export function copyInstallation(version: string): SecondInstallation {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-next-'))
  chmodSync(directory, 0o755)
  for (const part of ['src', 'bin', 'package.json']) {
    mkdirSync(dirname(join(directory, part)), { recursive: true })
    cpSync(join(root, part), join(directory, part), {
      recursive: true,
      filter: (path) => !path.endsWith('.test.ts'),
    })
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const change = (file: string, from: string, to: string): void => {
    const before = readFileSync(join(directory, file), 'utf8')
    if (!before.includes(from)) throw new Error(`${file} does not say ${from}`)
    writeFileSync(join(directory, file), before.replace(from, to))
  }
  change(
    'package.json',
    /"version": "[^"]+"/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[0] ?? '',
    `"version": "${version}"`,
  )
  return { directory, change, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
