import { resolve } from 'node:path'
import { parseDuration, systemRandom } from '../../kernel/std/index.ts'
import { findFile, loadEnvironment } from '../../server/composition/index.ts'
import { dropRebuild, failureOf, rebuild } from '../../server/rebuild/index.ts'
import { usageError, type Parsed } from '../arguments/index.ts'
import { textOf, type Surroundings } from '../commands/command.ts'
import { findDataDirectory } from '../control/index.ts'
import { render } from '../views/index.ts'

function neededName(parsed: Parsed): string {
  const into = textOf(parsed, 'into')
  if (into !== undefined && /^[a-z][a-z0-9-]{0,38}$/.test(into)) return into
  throw usageError('name the second environment with --into', { hint: 'as --into drill', path: 'into' })
}

function keepMsOf(parsed: Parsed): number | null {
  const text = textOf(parsed, 'keep')
  const keepMs = text === undefined ? null : parseDuration(text)
  if (keepMs !== undefined) return keepMs
  throw usageError(`--keep: "${text}" is no duration`, { hint: 'as --keep 2h', path: 'keep' })
}

/**
 * `holdfast environment rebuild --offline`: builds the environment from its file alone, where no control runs, or none
 * that is to be asked. Resolves to the exit code.
 */
export async function rebuildOffline(parsed: Parsed, surroundings: Surroundings): Promise<number> {
  const { voice, directions, variables, clock, signal } = surroundings
  const wish = { into: neededName(parsed), keepMs: keepMsOf(parsed), from: textOf(parsed, 'from') }
  const { config, directory } = directions
  const loaded = await loadEnvironment(
    config === undefined ? await findFile(directory) : resolve(directory, config),
  )
  const dataDirectory = await findDataDirectory(directions)
  const ground = { loaded, dataDirectory, releases: {}, variables, random: systemRandom }
  const progress = (share: number, says: string): void => voice.redraw(`${Math.round(share * 100)}%  ${says}`)
  const owner = `command line ${process.pid}`
  const result = await rebuild(ground, wish, { owner, clock, signal, progress })
  voice.redraw('')
  if ('failed' in result) throw failureOf(result)
  if (voice.json) voice.document(result)
  else voice.say(render('environment.rebuild', result, voice.paper))
  if (wish.keepMs !== null) {
    await clock.sleep(wish.keepMs, signal).catch(() => undefined) // Ctrl-C
    await dropRebuild(dataDirectory, wish.into)
  }
  return 0
}
