import { open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/std/index.ts'
import { acceptedEnvironment, type AcceptedEnvironment } from './config.ts'
import { override, parseEnvironment, type LoadedEnvironment } from './load.ts'

const fileName = 'environment.json'

/** Keeps the environment that was accepted, whole or not at all, so that control can start from it at any time. */
export async function keepAccepted(dataDirectory: string, loaded: LoadedEnvironment): Promise<void> {
  const path = join(dataDirectory, fileName)
  const handle = await open(`${path}.new`, 'w', 0o600)
  try {
    const { file, hash, overrides, data, contents } = loaded
    await handle.writeFile(JSON.stringify({ file, hash, overrides, environment: data, contents }))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
}

function missing(file: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'configuration.missing',
    kind: 'operational',
    message: `there is no ${file}: no environment was accepted yet`,
    hint: 'start with "holdfast up"',
    cause,
  })
}

function unreadable(file: string, why: string, cause: unknown): HoldfastError {
  return new HoldfastError({
    code: 'configuration.accepted-unreadable',
    kind: 'operational',
    message: `the environment that was accepted last cannot be read from ${file}: ${why}`,
    hint: 'run "holdfast down" and "holdfast up": it is written anew from the environment file',
    cause,
  })
}

async function readKept(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    throw code === 'ENOENT' ? missing(file, error) : unreadable(file, code ?? String(error), error)
  }
}

function parseKept(file: string, text: string): AcceptedEnvironment {
  try {
    return acceptedEnvironment.parse(JSON.parse(text))
  } catch (error) {
    throw unreadable(file, error instanceof SyntaxError ? 'it is no JSON' : 'it holds something else', error)
  }
}

/**
 * The environment that was accepted last.
 * Errors: `configuration.missing`, `configuration.accepted-unreadable`, `configuration.invalid` (another version of
 * Holdfast accepted it).
 */
export async function loadAccepted(dataDirectory: string): Promise<LoadedEnvironment> {
  const file = join(dataDirectory, fileName)
  const kept = parseKept(file, await readKept(file))
  return {
    file: kept.file,
    directory: dirname(kept.file),
    hash: kept.hash,
    overrides: kept.overrides,
    data: kept.environment,
    environment: override(parseEnvironment(kept.environment), kept.overrides),
    ...(kept.contents === undefined ? {} : { contents: kept.contents }),
  }
}
