import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runInThisContext } from 'node:vm'
import { edge } from '../../../src/capabilities/edge/index.ts'
import { factOfEvent } from '../../../src/capabilities/environment/watch/events.ts'
import { draftFrom, draftText } from '../../../src/cli/local/init/from/index.ts'
import { decideReadiness } from '../../../src/cli/local/readiness.ts'
import type { LogFormat } from '../../../src/cli/local/simulate/formats.ts'
import { simulationLines } from '../../../src/cli/local/simulate/report.ts'
import { simulate, simulateSpans } from '../../../src/cli/local/simulate/simulate.ts'
import { createPaper } from '../../../src/cli/output/index.ts'
import type { EnvironmentStatus } from '../../../src/contracts/environment.ts'
import type { TrafficSpan } from '../../../src/contracts/edge.ts'
import { factCatalogue } from '../../../src/contracts/index.ts'
import { supervisorEvent } from '../../../src/contracts/supervisor.ts'
import { parseLimit, printLimit } from '../../../src/kernel/limit/index.ts'
import { plainError, type JsonObject } from '../../../src/kernel/std/index.ts'
import { findTroubles, loadEnvironment } from '../../../src/server/composition/index.ts'
import { parseEnvironment } from '../../../src/server/composition/load.ts'
import { createSays } from '../../../src/server/control/own-operations/says.ts'
import { replayOver } from '../../../src/server/replay/index.ts'
import { openSocket, type Place } from '../../../src/server/launch/sockets.ts'

/** Turns the input of a golden file into what is compared; the same for the same input on every machine. */
export type Kind = (input: string) => Promise<string> | string

const directory = '/srv/arcade'

/** The data of a case, written as an expression of JavaScript so that it reads like an environment file. */
const evaluate = (input: string): unknown => runInThisContext(`(${input})`)

function sayError(error: unknown): string {
  const { code, message, path, hint } = plainError(error)
  const lines = [`error: ${message}`, `path: ${path ?? '-'}`, `hint: ${hint ?? '-'}`, `code: ${code}`]
  return lines.join('\n')
}

async function orError(act: () => Promise<string> | string): Promise<string> {
  try {
    return await act()
  } catch (error) {
    return sayError(error)
  }
}

function policyOf(data: unknown): string {
  const { name, services, edge: section } = parseEnvironment(data)
  const upstreams = Object.entries(services)
    .filter(([, { listens }]) => listens)
    .map(([service, { health, address }]) => ({
      name: service,
      targets: [{ id: `${service}/1`, origin: address ?? 'http://127.0.0.1:20001' }],
      healthPath: health ?? null,
    }))
  const policy = edge.compile(section, { environment: name, directory, upstreams })
  return JSON.stringify({ ...policy, revision: '<hash>' }, null, 2)
}

/** Gives a case a directory of its own, which is called `<directory>` in what it says. */
async function inDirectory(act: (place: string) => Promise<string>): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'holdfast-golden-'))
  try {
    return (await act(place)).replaceAll(place, '<directory>')
  } finally {
    await rm(place, { recursive: true })
  }
}

/** Whole environment files, through the door that users' files come through. */
function ofFile(input: string): Promise<string> {
  return inDirectory(async (place) => {
    const file = join(place, 'holdfast.config.ts')
    await writeFile(file, input)
    return orError(async () => policyOf((await loadEnvironment(file)).data))
  })
}

/** What on this machine keeps a valid file from running. */
function ofTroubles(input: string): Promise<string> {
  return inDirectory(async (place) => {
    const data = evaluate(input)
    const file = join(place, 'holdfast.config.ts')
    const read = { file, directory: place, hash: '', overrides: {}, data }
    const loaded = { ...read, environment: parseEnvironment(data) }
    const troubles = await findTroubles(loaded, { PATH: '/usr/bin:/bin' })
    return troubles
      .map(({ path, message, hint }) => `error: ${message}\npath: ${path}\nhint: ${hint}`)
      .join('\n\n')
  })
}

/** A place that another program has taken. */
async function ofTakenPort(input: string): Promise<string> {
  const place = evaluate(input) as Place
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, place.host, resolve))
  const { port } = other.address() as { readonly port: number }
  const open = async (): Promise<string> => {
    const socket = await openSocket({ ...place, port })
    socket.close()
    return 'it listens'
  }
  const said = await orError(open)
  await new Promise((resolve) => other.close(resolve))
  return said.replaceAll(String(port), '<port>')
}

const whole = { name: 'arcade', version: '1.2.3', services: ['web', 'mailer'] }

/** An event of the supervisor as the fact that it becomes: severity, subject and words. */
function ofEvent(input: string): string {
  const event = supervisorEvent.parse(JSON.parse(input))
  const { declaration, data, subject } = factOfEvent(event, whole)
  const parsed = declaration.data.parse(data) as JsonObject
  const { kind, severity } = declaration
  const fact = { sequence: 1, id: '', at: 0, kind, severity, subject, actor: 'holdfast' }
  const says = createSays(factCatalogue)({ ...fact, correlation: null, data: parsed, hash: '' })
  return `${says}\nkind: ${kind}\nseverity: ${severity}\nsubject: ${subject ?? '-'}`
}

function readLimit(text: string): string {
  try {
    return printLimit(parseLimit(text))
  } catch (error) {
    const { message, hint } = plainError(error)
    return `${message} ${hint ?? ''}`.trimEnd()
  }
}

interface SimulateInput {
  readonly file: unknown
  readonly against?: unknown
  readonly format?: LogFormat
  readonly host?: string
  readonly log?: readonly string[]
  /** Roll-ups in place of a log. */
  readonly spans?: readonly TrafficSpan[]
}

async function* once(lines: readonly string[]): AsyncGenerator<readonly string[]> {
  yield lines
}

async function* oneByOne<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list
}

/** What the limits of a file would have made of a log. */
async function ofSimulation(input: string): Promise<string> {
  const { file, against, format = 'auto', host = '', log, spans } = evaluate(input) as SimulateInput
  const ground = {
    changed: await replayOver(parseEnvironment(file)),
    present: against === undefined ? null : await replayOver(parseEnvironment(against)),
  }
  const simulation =
    spans === undefined
      ? await simulate({ ...ground, logs: [once(log ?? [])], format, host })
      : await simulateSpans(oneByOne(spans), ground)
  const paper = createPaper({ terminal: false, colour: false, width: 200, nowMs: 0 })
  return simulationLines(simulation, paper).join('\n')
}

interface ReadinessInput {
  readonly waitedMs: number
  readonly timeouts: Readonly<Record<string, number>>
  readonly service: EnvironmentStatus['services'][number]
}

/** What a start of `holdfast up` makes of a service. */
function ofReadiness(input: string): string {
  const { waitedMs, timeouts, service } = JSON.parse(input) as ReadinessInput
  const status = { services: [service] } as unknown as EnvironmentStatus
  return JSON.stringify(decideReadiness(status, timeouts, waitedMs), null, 2)
}

/**
 * What `init --from` makes of files, each below a line `=== <name>`; the first is the one that is named. What is written is
 * loaded, too.
 */
function ofImport(input: string): Promise<string> {
  return inDirectory(async (place) => {
    const [, ...parts] = input.split(/^=== (.+)\n/m)
    for (let index = 0; index < parts.length; index += 2) {
      const file = join(place, parts[index] ?? '')
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, parts[index + 1] ?? '')
    }
    return orError(async () => {
      const draft = await draftFrom(parts[0] ?? '', place)
      const text = draftText({ ...draft, name: 'imported' })
      const file = join(place, 'holdfast.config.ts')
      await writeFile(file, text)
      await loadEnvironment(file)
      return text
    })
  })
}

/** The kinds of golden files, by the name of their folder. */
export const kinds: Readonly<Record<string, Kind>> = {
  policy: (input) => policyOf(evaluate(input)),
  refused: (input) => orError(() => policyOf(evaluate(input))),
  file: ofFile,
  trouble: ofTroubles,
  port: ofTakenPort,
  event: ofEvent,
  import: ofImport,
  readiness: ofReadiness,
  simulate: ofSimulation,
  limit: (input) =>
    input
      .split('\n')
      .map((line) => `${JSON.stringify(line)}\n  ${readLimit(line)}`)
      .join('\n'),
}
