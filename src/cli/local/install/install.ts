import { dirname, join, resolve } from 'node:path'
import { HoldfastError } from '../../../kernel/std/index.ts'
import {
  findFile,
  findTroubles,
  loadEnvironment,
  problemError,
  type LoadedEnvironment,
} from '../../../server/composition/index.ts'
import { isSet, textOf, type Surroundings } from '../../commands/command.ts'
import type { Parsed } from '../../arguments/index.ts'
import { thisInstallation } from '../installation.ts'
import { unitText } from './unit.ts'
import { hasSystemd, systemctl, unitsDirectory, writeUnit } from './units.ts'

/** PATH without what npm and npx put there for themselves only. */
function lastingPath(path: string): string {
  const folders = path.split(':').filter((folder) => folder !== '' && !folder.endsWith('node_modules/.bin'))
  return folders.join(':')
}

function describe(
  loaded: LoadedEnvironment,
  { data, searchPath }: { data: string; searchPath: string },
): string {
  const { name, services, databases } = loaded.environment
  const longestOf = (all: Readonly<Record<string, { readonly stopTimeout: number }>>): number =>
    Math.max(0, ...Object.values(all).map(({ stopTimeout }) => stopTimeout))
  return unitText({
    environment: name,
    program: thisInstallation().program,
    config: loaded.file,
    data,
    directory: loaded.directory,
    searchPath,
    variablesFile: join('/etc', 'holdfast', `${name}.env`),
    // Databases are stopped when services are.
    stopTimeoutMs: longestOf(services) + longestOf(databases),
  })
}

/** What is not set when systemd starts it, unless somebody writes it down. */
function variablesOf(loaded: LoadedEnvironment): readonly string[] {
  return [...new Set(Object.values(loaded.environment.services).flatMap(({ passEnv }) => passEnv))]
}

async function start(unit: string, running: boolean): Promise<readonly string[]> {
  if (!running)
    return [`Start it where systemd runs: systemctl daemon-reload && systemctl enable --now ${unit}`]
  await systemctl('daemon-reload')
  await systemctl('enable', '--now', unit)
  return [`It was started and is started again with the machine.`]
}

function nameOf(parsed: Parsed, loaded: LoadedEnvironment): string {
  const name = textOf(parsed, 'name') ?? `holdfast-${loaded.environment.name}`
  if (/^holdfast-[a-z0-9][a-z0-9-]*$/.test(name)) return `${name}.service`
  throw new HoldfastError({
    code: 'cli.usage',
    kind: 'user',
    message: `--name ${name}: a unit of Holdfast is called "holdfast-" and lower-case letters, digits or dashes`,
  })
}

/** `holdfast install`: lets systemd run the environment. Resolves to the exit code. */
export async function install(
  parsed: Parsed,
  { voice, directions, variables }: Surroundings,
): Promise<number> {
  const { config, data, directory } = directions
  const file = config === undefined ? await findFile(directory) : resolve(directory, config)
  const loaded = await loadEnvironment(file)
  const searchPath = lastingPath(variables['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
  const dataDirectory = resolve(directory, data ?? join(dirname(file), '.holdfast'))
  const text = describe(loaded, { data: dataDirectory, searchPath })
  if (isSet(parsed, 'print')) {
    voice.say(text.trimEnd().split('\n'))
    return 0
  }
  const passed = Object.fromEntries(variablesOf(loaded).map((name) => [name, 'to come']))
  const troubles = await findTroubles(loaded, { ...passed, PATH: searchPath })
  if (troubles.length > 0) throw problemError(troubles)
  const root = textOf(parsed, 'root')
  const unit = nameOf(parsed, loaded)
  const unitFile = join(unitsDirectory(root ?? '/'), unit)
  await writeUnit(unitFile, text)
  const started = await start(unit, root === undefined && (await hasSystemd()))
  const needed = variablesOf(loaded)
  const advice =
    needed.length === 0
      ? []
      : [`Write ${needed.join(', ')} into /etc/holdfast/${loaded.environment.name}.env (mode 0600).`]
  voice.say([
    `${unitFile} was written.`,
    ...advice,
    ...started,
    '',
    `  systemctl status ${unit}`,
    `  journalctl -u ${unit}`,
  ])
  if (voice.json) voice.document({ unit, file: unitFile, data: dataDirectory })
  return 0
}
