import { access, appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../../kernel/std/index.ts'
import { findTroubles, loadEnvironment } from '../../../server/composition/index.ts'
import { usageError, type Parsed } from '../../arguments/index.ts'
import { isSet, numberOf, textOf, type Surroundings } from '../../commands/command.ts'
import { harmless, pad, type Paper } from '../../output/index.ts'
import { nameFrom, type Answers, type Runs } from './answers.ts'
import { ask, Cancelled } from './ask.ts'
import { joinCommand, splitCommand } from './command-line.ts'
import { fileText } from './file-text.ts'
import { draftFrom, draftText, type Draft } from './from/index.ts'
import { isInGit, lookAround, type Suggestion } from './folder.ts'

const fileName = 'holdfast.config.ts'
const gitLine = 'added .holdfast/ to .gitignore: the data directory is no part of your code'
const waiverMs = 90 * 86_400_000

/** What the last lines depend on. */
interface Closing {
  /** The data directory was put on git's list. */
  readonly ignored: boolean
  /** How this program is called here. */
  readonly program: string
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function givenRuns(parsed: Parsed): Runs | undefined {
  const command = textOf(parsed, 'command')
  const address = textOf(parsed, 'address')
  if (command !== undefined && address !== undefined) {
    throw usageError('--command and --address exclude each other', {
      hint: 'Holdfast runs the command, or somebody else runs what listens at the address',
    })
  }
  if (address !== undefined) return { by: 'others', address }
  if (command === undefined) return undefined
  return { by: 'holdfast', command: splitCommand(command), port: numberOf(parsed, 'port') ?? null }
}

/** What the flags say. Errors: `cli.usage`. */
function givenAnswers(parsed: Parsed): Partial<Answers> {
  const given = {
    name: textOf(parsed, 'name'),
    service: textOf(parsed, 'service'),
    runs: givenRuns(parsed),
    health: textOf(parsed, 'health'),
    edgePort: numberOf(parsed, 'edgePort'),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function assume(given: Partial<Answers>, suggestion: Suggestion, mayGuess: boolean): Answers {
  const guessed: Runs | undefined =
    suggestion.command === null || !mayGuess
      ? undefined
      : { by: 'holdfast', command: splitCommand(suggestion.command), port: null }
  const runs = given.runs ?? guessed
  if (runs === undefined) {
    const found =
      suggestion.command === null ? '' : ` (this folder suggests "${suggestion.command}": --yes takes it)`
    throw usageError(`what shall run is not known${found}`, {
      hint: 'say --command "node server.js" for Holdfast to run it, or --address http://127.0.0.1:3000',
    })
  }
  return {
    name: given.name ?? nameFrom(suggestion.name),
    service: given.service ?? 'web',
    runs,
    health: given.health ?? null,
    edgePort: given.edgePort ?? 8080,
  }
}

async function refuseOverwriting(file: string, force: boolean): Promise<void> {
  if (force || !(await exists(file))) return
  throw new HoldfastError({
    code: 'cli.file-exists',
    kind: 'user',
    message: `${file} is there already`,
    hint: 'edit it, or overwrite it with --force',
  })
}

/** Writes the file under another name, checks it, and only then gives it its own. */
async function writeChecked(file: string, content: string, surroundings: Surroundings): Promise<void> {
  const draft = file.replace(/\.ts$/, '.new.ts')
  await writeFile(draft, content)
  try {
    const loaded = await loadEnvironment(draft)
    for (const { message, hint } of await findTroubles(loaded, surroundings.variables)) {
      surroundings.voice.remark(`warning: ${message} (${hint})`)
    }
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

async function keepOutOfGit(directory: string): Promise<boolean> {
  if (!(await isInGit(directory))) return false
  const file = join(directory, '.gitignore')
  const content = (await exists(file)) ? await readFile(file, 'utf8') : ''
  if (/^\/?\.holdfast\/?$/m.test(content)) return false
  await appendFile(file, `${content === '' || content.endsWith('\n') ? '' : '\n'}.holdfast/\n`)
  return true
}

/** What somebody typed, of a command that a shell is given. */
function sayCommand(command: readonly string[]): string {
  const [program, option, script] = command
  return program === 'sh' && option === '-c' && script !== undefined
    ? script.replace(/^exec /, '')
    : joinCommand(command)
}

function closingLines({ runs, edgePort }: Answers, { ignored, program }: Closing): readonly string[] {
  const what =
    runs.by === 'holdfast' ? `runs        ${sayCommand(runs.command)}` : `leads to    ${runs.address}`
  return [
    `wrote ${fileName}`,
    `  ${what}`,
    `  serves it   on port ${edgePort}, within limits`,
    ...(ignored ? [gitLine] : []),
    `next: ${program} up`,
  ]
}

async function answer(parsed: Parsed, { interactive, directions, voice }: Surroundings): Promise<Answers> {
  const suggestion = await lookAround(directions.directory)
  const yes = isSet(parsed, 'yes')
  const given = givenAnswers(parsed)
  return interactive && !yes && !voice.json ? ask(given, suggestion) : assume(given, suggestion, yes)
}

const onlyWithoutFrom = ['service', 'command', 'port', 'address', 'health'] as const

/** A draft, with what flags say beside it. */
async function drafted(from: string, parsed: Parsed, directory: string): Promise<Draft> {
  const other = onlyWithoutFrom.find((field) => parsed.values[field] !== undefined)
  if (other !== undefined) {
    throw usageError(`--from and --${other} exclude each other`, {
      hint: 'the file that is translated says what runs; edit the result',
      path: other,
    })
  }
  const draft = await draftFrom(from, directory)
  return {
    ...draft,
    name: textOf(parsed, 'name') ?? draft.name,
    edgePort: numberOf(parsed, 'edgePort') ?? draft.edgePort,
  }
}

function draftLines(draft: Draft, { ignored, program }: Closing, paper: Paper): readonly string[] {
  const { services, notes, source } = draft
  const widest = Math.max(...services.map(({ name }) => name.length))
  return [
    `wrote ${fileName} from ${source}`,
    ...services.map(({ name, command }) => `  ${pad(name, widest)}  ${sayCommand(command)}`),
    `  the edge serves on port ${draft.edgePort}, within limits`,
    ...(ignored ? [gitLine] : []),
    ...(notes.length === 0
      ? []
      : ['', 'Not translated, or with an assumption; the same stands at the end of the file:']),
    ...notes.map(({ about, says }) => `  ${paper.paint('warning', about)}: ${harmless(says)}`),
    '',
    `next: ${program} check, then ${program} check ${services[0]?.name ?? ''} --live`,
  ]
}

/** `holdfast init --from`: writes an environment file from what another tool runs. */
async function initFrom(from: string, parsed: Parsed, surroundings: Surroundings): Promise<number> {
  const { voice, directions, variables } = surroundings
  const file = join(directions.directory, fileName)
  const draft = await drafted(from, parsed, directions.directory)
  await writeChecked(file, draftText(draft), surroundings)
  const ignored = await keepOutOfGit(directions.directory)
  const closing = { ignored, program: variables['HOLDFAST_COMMAND'] ?? 'holdfast' }
  if (voice.json) {
    const notes = draft.notes.map(({ about, says }) => ({ about, says }))
    voice.document({ file, name: draft.name, services: draft.services.map(({ name }) => name), notes })
  } else voice.say(draftLines(draft, closing, voice.paper))
  return 0
}

/**
 * `holdfast init`: writes an environment file for the service in this folder, or from what another tool runs. Resolves
 * to the exit code.
 */
export async function init(parsed: Parsed, surroundings: Surroundings): Promise<number> {
  const { voice, clock, directions, variables } = surroundings
  const file = join(directions.directory, fileName)
  await refuseOverwriting(file, isSet(parsed, 'force'))
  const from = textOf(parsed, 'from')
  if (from !== undefined) return initFrom(from, parsed, surroundings)
  try {
    const answers = await answer(parsed, surroundings)
    const waivedUntil = new Date(clock.now() + waiverMs).toISOString().slice(0, 10)
    await writeChecked(file, fileText(answers, waivedUntil), surroundings)
    const ignored = await keepOutOfGit(directions.directory)
    if (voice.json) voice.document({ file, name: answers.name, service: answers.service })
    else voice.say(closingLines(answers, { ignored, program: variables['HOLDFAST_COMMAND'] ?? 'holdfast' }))
    return 0
  } catch (error) {
    if (error instanceof Cancelled) return 130
    throw error
  }
}
