import { basename, resolve } from 'node:path'
import type { JsonObject } from '../../../kernel/std/index.ts'
import { findFile, loadEnvironment } from '../../../server/composition/index.ts'
import { replayOver, type Replay } from '../../../server/replay/index.ts'
import { usageError, type Parsed } from '../../arguments/index.ts'
import { numberOf, textOf, type Surroundings } from '../../commands/command.ts'
import { logFormats, type LogFormat } from './formats.ts'
import { readLog } from './read-log.ts'
import { simulationDocument, simulationLines } from './report.ts'
import { readSpans } from './read-spans.ts'
import { simulate, simulateSpans, type SimulationGround } from './simulate.ts'

/**
 * `holdfast limits simulate`: replays access logs (`--log FILE`), or what the edge recorded of its requests
 * (`--since 24h`), against an environment file and says whom its limits would have refused. With logs it works without
 * control; it changes nothing. Resolves to the exit code: 1 when there was no request to be replayed.
 * Errors: `cli.no-file`, those of reading an environment file; with `--since` those of asking control.
 */
export async function simulateLimits(parsed: Parsed, surroundings: Surroundings): Promise<number> {
  const { voice, directions } = surroundings
  const { directory, config } = directions
  const logs = logsOf(parsed).map((log) => resolve(directory, log))
  const since = numberOf(parsed, 'since')
  if ((since === undefined) === (logs.length === 0)) {
    throw usageError('name access logs with --log, or a time with --since', { path: 'log' })
  }
  const file = config === undefined ? await findFile(directory) : resolve(directory, config)
  const against = textOf(parsed, 'against')
  const noun = since === undefined ? 'lines' : 'requests'
  const ground: SimulationGround = {
    changed: await replayOfFile(file),
    present: against === undefined ? null : await replayOfFile(resolve(directory, against)),
    onCount: (count) =>
      voice.redraw(`replaying over ${basename(file)}: ${count.toLocaleString('en-GB')} ${noun}`),
  }
  const simulation =
    since === undefined
      ? await simulate({ ...ground, logs: logs.map(readLog), ...formatOf(parsed) })
      : await simulateSpans(readSpans(await surroundings.open(directions), since), ground)
  voice.redraw('')
  if (voice.json) voice.document(simulationDocument(simulation))
  else voice.say(simulationLines(simulation, voice.paper))
  return simulation.changed.requests === 0 ? 1 : 0
}

async function replayOfFile(file: string): Promise<Replay> {
  return replayOver((await loadEnvironment(file)).environment)
}

function logsOf({ values }: Parsed): readonly string[] {
  const { log } = values as JsonObject
  return Array.isArray(log) ? log.filter((each) => typeof each === 'string') : []
}

function formatOf(parsed: Parsed): { readonly format: LogFormat; readonly host: string } {
  const named = textOf(parsed, 'format')
  const format = logFormats.find((each) => each === named) ?? 'auto'
  return { format, host: textOf(parsed, 'host')?.toLowerCase() ?? '' }
}
