import { dirname, join, resolve } from 'node:path'
import type { Client } from '../../client/index.ts'
import type { EnvironmentStatus } from '../../contracts/index.ts'
import { HoldfastError, plainError, sayDuration, systemClock } from '../../kernel/std/index.ts'
import { waitHealthy, waitServed } from '../../server/bring-up/index.ts'
import { findFile, loadEnvironment, type LoadedEnvironment } from '../../server/composition/index.ts'
import { attach, launch, type Launched } from '../../server/launch/index.ts'
import { dropRebuilds } from '../../server/rebuild/index.ts'
import { risingOf, type Ready as Starting } from './rising.ts'
import { printScreen } from './screen.ts'
import { createTerminal, type Terminal } from './terminal.ts'

/** What runs beside an environment finds around it. */
export interface Beside {
  readonly loaded: LoadedEnvironment
  readonly dataDirectory: string
  readonly terminal: Terminal
  /** Aborts when the environment ends. */
  readonly signal: AbortSignal
}

/** What `holdfast up` was asked for. */
export interface UpOptions {
  /** Environment file; absent: the nearest one. */
  readonly config?: string | undefined
  /** Data directory; absent: `.holdfast` beside the environment file. */
  readonly data?: string | undefined
  readonly edgePort?: number | undefined
  readonly controlPort?: number | undefined
  /** Progress goes to stderr, and what runs to stdout, as one JSON document once it runs. */
  readonly json?: boolean | undefined
  /** Looks at the file that was read before anything is started; throws what it refuses. */
  readonly check?: (loaded: LoadedEnvironment) => void
  /** Runs once everything is healthy, until its signal aborts; its failure is said and ends nothing. */
  readonly beside?: (ground: Beside) => Promise<void>
  /** Stays with what runs on the data directory already, instead of refusing. */
  readonly attach?: boolean | undefined
  /** Takes over what another Holdfast looks after, instead of refusing. */
  readonly takesOver?: boolean
}

interface Ready extends Starting {
  readonly json: boolean
}

function urlsOf({ loaded }: Ready): readonly string[] {
  return loaded.environment.edge.listen.map(
    ({ host, port, tls }) =>
      `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
  )
}

/** The sign-in link is for a terminal only; a program has the root token. */
function printDocument(ready: Ready, { says, name }: EnvironmentStatus): void {
  const { dataDirectory } = ready
  const { host, port } = ready.loaded.environment.control
  const control = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const document = { name, says, edge: urlsOf(ready), control, dataDirectory }
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
}

async function showScreen(ready: Ready, client: Client, status: EnvironmentStatus): Promise<void> {
  if (ready.json) {
    printDocument(ready, status)
    return
  }
  const { url } = await client.call('access.create-sign-in-link', {})
  const near = ready.dataDirectory === join(process.cwd(), '.holdfast')
  printScreen(ready.terminal, {
    status,
    edgeUrls: urlsOf(ready),
    consoleUrl: url,
    dataDirectory: ready.dataDirectory,
    command: process.env['HOLDFAST_COMMAND'] ?? 'holdfast',
    locate: near ? '' : ` --data ${ready.dataDirectory}`,
  })
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** In a terminal Ctrl-C arrives by itself and again through npm: once more within this time is the same wish. */
const sameWishMs = 500

/** Aborts at the first signal that asks us to end. Another one changes nothing: services have their time to stop. */
function endRequested(terminal: Terminal): AbortSignal {
  const controller = new AbortController()
  let askedAtMs = 0
  const end = (signal: string): void => {
    const nowMs = systemClock.monotonicMs()
    if (!controller.signal.aborted) askedAtMs = nowMs
    else if (nowMs - askedAtMs > sameWishMs)
      terminal.line('  still stopping: services have their "stopTimeout" to end')
    controller.abort(new Error(signal))
  }
  for (const signal of signals) process.on(signal, () => end(signal))
  return controller.signal
}

function aborted(signal: AbortSignal): Promise<'asked'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('asked')
    signal.addEventListener('abort', () => resolve('asked'), { once: true })
  })
}

async function untilTheEnd(
  launched: Launched,
  { terminal, dataDirectory }: Ready,
  asked: AbortSignal,
): Promise<number> {
  const end = await Promise.race([launched.ended, aborted(asked)])
  if (end === 'asked') {
    terminal.doing('stopping everything')
    await launched.stop()
    await dropRebuilds(dataDirectory)
    terminal.done('everything was stopped')
    return 0
  }
  if (end.code === 0) {
    terminal.line('Holdfast was stopped.')
    return 0
  }
  throw new HoldfastError({
    code: 'supervisor.died',
    kind: 'operational',
    message: `the supervisor ended unexpectedly (${end.signal ?? `exit code ${end.code}`}); the services run on`,
    hint: 'run "holdfast up" again: it takes over and adopts what runs',
  })
}

/** Aborts when somebody asks us to end, or when the supervisor has ended: of "holdfast down", or because it was killed. */
function overSignal(launched: Launched, asked: AbortSignal): AbortSignal {
  const gone = new AbortController()
  void launched.ended.then(() => gone.abort())
  return AbortSignal.any([asked, gone.signal])
}

async function bringUp(ready: Ready, launched: Launched, asked: AbortSignal): Promise<void> {
  const startedAt = systemClock.monotonicMs()
  const over = overSignal(launched, asked)
  try {
    const rising = risingOf(ready)
    const { client, status } = await waitHealthy(rising, over)
    await waitServed(client, rising, over)
    ready.terminal.done(
      `all services are healthy after ${sayDuration(systemClock.monotonicMs() - startedAt)}`,
    )
    await showScreen(ready, client, status)
  } catch (error) {
    if (over.aborted) return
    ready.terminal.doing('stopping what was started')
    await launched.stop()
    ready.terminal.line()
    throw error
  }
}

/** `holdfast up`: runs the environment until it is asked to end. Resolves to the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const json = options.json === true
  const terminal = createTerminal(json ? process.stderr : process.stdout, process.env)
  const file = options.config === undefined ? await findFile(process.cwd()) : resolve(options.config)
  const { edgePort, controlPort } = options
  const loaded = await loadEnvironment(file, { edgePort, controlPort })
  options.check?.(loaded)
  const dataDirectory = resolve(options.data ?? join(dirname(file), '.holdfast'))
  const asked = endRequested(terminal)
  const ready = { loaded, dataDirectory, terminal, json }
  const running = options.attach === true ? await attach(dataDirectory) : null
  if (running !== null) {
    terminal.done(`Holdfast runs on ${dataDirectory} already (supervisor ${running.pid})`)
    return untilTheEnd(running, ready, asked)
  }
  const launched = await launch({
    loaded,
    dataDirectory,
    onStep: (done) => terminal.done(done),
    takesOver: options.takesOver === true,
  })
  await bringUp(ready, launched, asked)
  const signal = overSignal(launched, asked)
  if (!signal.aborted)
    options.beside?.({ loaded, dataDirectory, terminal, signal }).catch((error: unknown) => {
      if (!signal.aborted) terminal.line(`error: ${plainError(error).message}`)
    })
  return untilTheEnd(launched, ready, asked)
}
