import { open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../../kernel/std/index.ts'
import { acceptedEnvironment } from './config.ts'
import { override, parseEnvironment, type LoadedEnvironment } from './load.ts'

const fileName = 'environment.json'

/** Keeps the environment that was accepted, whole or not at all, so that control can start from it at any time. */
export async function keepAccepted(dataDirectory: string, loaded: LoadedEnvironment): Promise<void> {
  const path = join(dataDirectory, fileName)
  const handle = await open(`${path}.new`, 'w', 0o600)
  try {
    const { file, hash, overrides, data } = loaded
    await handle.writeFile(JSON.stringify({ file, hash, overrides, environment: data }))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
}

/** The environment that was accepted last. Errors: `configuration.missing`, `configuration.invalid`. */
export async function loadAccepted(dataDirectory: string): Promise<LoadedEnvironment> {
  const file = join(dataDirectory, fileName)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HoldfastError({
      code: 'configuration.missing',
      kind: 'operational',
      message: `${file} cannot be read: no environment was accepted yet`,
      hint: 'start with "holdfast up"',
      cause,
    })
  })
  const kept = acceptedEnvironment.parse(JSON.parse(text))
  return {
    file: kept.file,
    directory: dirname(kept.file),
    hash: kept.hash,
    overrides: kept.overrides,
    data: kept.environment,
    environment: override(parseEnvironment(kept.environment), kept.overrides),
  }
}
