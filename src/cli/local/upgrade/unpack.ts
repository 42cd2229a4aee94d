import { execFile } from 'node:child_process'
import { access, rm, stat } from 'node:fs/promises'
import { HoldfastError } from '../../../kernel/std/index.ts'

const ending = /\.(?:tgz|tar\.gz)$/
const installTimeoutMs = 600_000
const linesOfNpm = 3

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

function runNpm(args: readonly string[], variables: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { env: variables, timeout: installTimeoutMs }
    execFile('npm', args, options, (error, _, said) => {
      if (error === null) return resolve(null)
      const lines = said.split('\n').filter((line) => line.trim() !== '' && !line.includes('A complete log'))
      resolve(lines.slice(-linesOfNpm).join(' ').trim() || error.message)
    })
  })
}

/**
 * Where an installation lies: the place itself, or, for a package as `npm pack` makes it, a directory beside it that is
 * named after it, into which npm installs it with what it depends on. What was installed there before is taken as it is.
 * No script of a package is run. Errors: `upgrade.refused`.
 */
export async function placeOfInstallation(place: string, variables: NodeJS.ProcessEnv): Promise<string> {
  const isPacked = ending.test(place) && (await stat(place).catch(() => null))?.isFile() === true
  if (!isPacked) return place
  const directory = place.replace(ending, '')
  if (await isThere(directory)) return directory
  const quiet = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const complaint = await runNpm(['install', ...quiet, '--prefix', directory, place], variables)
  if (complaint === null) return directory
  await rm(directory, { recursive: true, force: true })
  throw new HoldfastError({
    code: 'upgrade.refused',
    kind: 'operational',
    message: `npm did not install ${place}: ${complaint}`,
    hint: 'npm has to reach its registry, or to have what the package depends on in its cache; nothing was changed',
  })
}
