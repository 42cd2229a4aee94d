import { basename, resolve } from 'node:path'
import type { JsonObject } from '../../../kernel/std/index.ts'
import { findFile, loadEnvironment } from '../../../server/composition/index.ts'
import { replayOver } from '../../../server/replay/index.ts'
import { usageError, type Parsed } from '../../arguments/index.ts'
import { textOf, type Surroundings } from '../../commands/command.ts'
import { logFormats, type LogFormat } from './formats.ts'
import { readLog } from './read-log.ts'
import { simulationDocument, simulationLines } from './report.ts'
import { simulate } from './simulate.ts'

/**
 * `holdfast limits simulate --log FILE`: replays access logs against an environment file and says whom its limits would
 * have refused. Works without control and changes nothing. Resolves to the exit code: 1 when no line could be read.
 * Errors: `cli.no-file`, those of reading an environment file.
 */
export async function simulateLimits(parsed: Parsed, surroundings: Surroundings): Promise<number> {
  const { voice, directions } = surroundings
  const { directory, config } = directions
  const logs = logsOf(parsed).map((file) => resolve(directory, file))
  const file = config === undefined ? await findFile(directory) : resolve(directory, config)
  const against = textOf(parsed, 'against')
  const changed = await loadEnvironment(file)
  const present = against === undefined ? null : await loadEnvironment(resolve(directory, against))
  const simulation = await simulate({
    logs: logs.map(readLog),
    format: formatOf(parsed),
    host: textOf(parsed, 'host')?.toLowerCase() ?? '',
    changed: await replayOver(changed.environment),
    present: present === null ? null : await replayOver(present.environment),
    onLines: (lines) =>
      voice.redraw(`replaying over ${basename(file)}: ${lines.toLocaleString('en-GB')} lines`),
  })
  voice.redraw('')
  if (voice.json) voice.document(simulationDocument(simulation))
  else voice.say(simulationLines(simulation, voice.paper))
  return simulation.changed.requests === 0 ? 1 : 0
}

function logsOf({ values }: Parsed): readonly string[] {
  const { log } = values as JsonObject
  const logs = Array.isArray(log) ? log.filter((each) => typeof each === 'string') : []
  if (logs.length === 0) throw usageError('name an access log with --log', { path: 'log' })
  return logs
}

function formatOf(parsed: Parsed): LogFormat {
  const named = textOf(parsed, 'format')
  return logFormats.find((format) => format === named) ?? 'auto'
}
