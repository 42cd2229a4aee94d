import { spawnSync } from 'node:child_process'
import { access, readFile } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../../kernel/std/index.ts'
import { parseJson } from '../../server/files/index.ts'
import { readVersion } from '../version.ts'

/** A Holdfast on this machine. */
export interface Installation {
  readonly directory: string
  readonly version: string
  /** Runtime and script: what comes before a command. Absolute. */
  readonly program: readonly [node: string, script: string]
}

const leastMajor = 24

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The installation that runs this. */
export function thisInstallation(): Installation {
  const script = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url))
  const directory = resolve(dirname(script), '../..')
  return { directory, version: readVersion(), program: [process.execPath, script] }
}

/** The pinned Node lies in the nearest node_modules/.bin: in a clone its own, of a package the project's. */
async function findNode(directory: string): Promise<string> {
  for (let folder = directory; ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', '.bin', 'node')
    if (majorOf(node) >= leastMajor) return node
    if (folder === dirname(folder)) return process.execPath
  }
}

function majorOf(node: string): number {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  return Number(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? 0)
}

async function readManifest(directory: string): Promise<{ name?: unknown; version?: unknown }> {
  const text = await readFile(join(directory, 'package.json'), 'utf8').catch(() => '')
  return parseJson(text) ?? {}
}

/**
 * The installation in a directory: a clone, an unpacked package, or a project that has Holdfast among its dependencies.
 * Errors: `upgrade.no-installation`.
 */
export async function findInstallation(directory: string): Promise<Installation> {
  for (const candidate of [directory, join(directory, 'node_modules', 'holdfast')]) {
    const { name, version } = await readManifest(candidate)
    const scripts = ['ts', 'js'].map((extension) => join(candidate, 'src', 'cli', `main.${extension}`))
    const there = await Promise.all(scripts.map(exists))
    const script = scripts.find((_, index) => there[index] === true)
    if (name !== 'holdfast' || typeof version !== 'string' || script === undefined) continue
    return { directory: candidate, version, program: [await findNode(candidate), script] }
  }
  throw new HoldfastError({
    code: 'upgrade.no-installation',
    kind: 'user',
    message: `there is no Holdfast in ${directory}`,
    hint: 'name a clone in which "npm ci" was run, or a project in which "npm install holdfast" was',
  })
}
