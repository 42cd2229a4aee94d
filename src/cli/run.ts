import { defaultExit, errorCatalogue } from '../contracts/index.ts'
import { asHoldfastError, type Clock } from '../kernel/std/index.ts'
import { parseArguments, takeFlags, type Values } from './arguments/index.ts'
import {
  commandHelp,
  commandTable,
  findCommand,
  globalFlags,
  overview,
  versionFlag,
  type Command,
  type Surroundings,
} from './commands/index.ts'
import type { Directions } from './control/index.ts'
import { createPaper, createVoice, isBrokenPipe, type Sink, type Voice } from './output/index.ts'
import { readVersion } from './version.ts'

/** The world around one run of the command line. */
export interface World extends Pick<
  Surroundings,
  'variables' | 'signal' | 'interactive' | 'open' | 'readInput'
> {
  /** After the program's name. */
  readonly argv: readonly string[]
  /** Absolute. */
  readonly directory: string
  readonly clock: Clock
  readonly out: Sink
  readonly err: Sink
  /** Whether `out` is a terminal, and how wide it is. */
  readonly terminal: { readonly width: number } | null
}

/** The exit code of an error, from the catalogue of errors. */
export function exitCodeOf(error: unknown): number {
  const { code } = asHoldfastError(error)
  return errorCatalogue.find((entry) => entry.code === code)?.exit ?? defaultExit
}

const textOf = (values: Values, field: string): string | undefined => {
  const value = values[field]
  return typeof value === 'string' ? value : undefined
}

function directionsOf(values: Values, { variables, directory }: World): Directions {
  const byPlace = textOf(values, 'data') ?? textOf(values, 'config')
  return {
    url: textOf(values, 'url') ?? (byPlace === undefined ? variables['HOLDFAST_URL'] : undefined),
    token: textOf(values, 'token') ?? variables['HOLDFAST_TOKEN'],
    data: textOf(values, 'data'),
    config: textOf(values, 'config'),
    directory,
  }
}

function voiceOf(values: Values, world: World): Voice {
  const { variables, terminal, clock, out, err } = world
  const capable = terminal !== null && variables['TERM'] !== 'dumb'
  const colour = values['color'] ?? (capable && (variables['NO_COLOR'] ?? '') === '')
  const paper = createPaper({
    terminal: capable,
    colour: colour === true,
    width: terminal?.width,
    nowMs: clock.now(),
  })
  return createVoice({ out, err, json: values['json'] === true, paper })
}

function showHelp(words: readonly string[], table: readonly Command[], voice: Voice): number {
  const lines =
    words.length === 0
      ? overview(table, voice.paper)
      : commandHelp(findCommand(words, table).command, voice.paper)
  if (voice.json) voice.document({ help: lines.join('\n') })
  else voice.say(lines)
  return 0
}

async function act(values: Values, rest: readonly string[], { world, voice }: Scene): Promise<number> {
  const table = commandTable()
  const [first] = rest
  if (values['version'] === true) {
    if (voice.json) voice.document({ version: readVersion() })
    else voice.say([readVersion()])
    return 0
  }
  if (first === undefined || first === 'help') return showHelp(rest.slice(1), table, voice)
  if (values['help'] === true) return showHelp(rest, table, voice)
  const { command, rest: argv } = findCommand(rest, table)
  const parsed = parseArguments(
    argv,
    { command: command.words, flags: command.flags, positional: command.positional, rest: command.rest },
    world.clock.now(),
  )
  const { variables, clock, signal, interactive, open, readInput } = world
  return command.run(parsed, {
    voice,
    variables,
    clock,
    signal,
    interactive,
    open,
    readInput,
    directions: directionsOf(values, world),
  })
}

interface Scene {
  readonly world: World
  readonly voice: Voice
}

/** Runs one command line. Resolves to the exit code; errors are said, not thrown. */
export async function run(world: World): Promise<number> {
  let voice = voiceOf({ json: world.argv.includes('--json') }, world)
  try {
    const isAlone = world.argv.every((argument) => argument.startsWith('-'))
    const flags = isAlone ? [...globalFlags, versionFlag] : globalFlags
    const { values, rest } = takeFlags(world.argv, flags, world.clock.now())
    voice = voiceOf(values, world)
    return await act(values, rest, { world, voice })
  } catch (error) {
    if (isBrokenPipe(error)) return 0
    if (world.signal.aborted) return 130
    voice.complain(error)
    return exitCodeOf(error)
  }
}
