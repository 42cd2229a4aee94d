import { systemClock } from '../../../kernel/std/index.ts'
import { signalProcess } from '../../../server/supervisor/machine/end-family.ts'
import type { Alone, Running } from './alone.ts'
import { isLog, logsBelow, writtenBetween } from './files.ts'
import type { Answered, Expected, Observed, Start, Stop } from './observed.ts'
import { accepts, ask, holdRequest, idleConnection } from './requests.ts'

const pollMs = 50
const askTimeoutMs = 2000
/** A service that says it is well is asked for so long again. */
const waverMs = 600
/** A worker that still runs after so long counts as started. */
const workerMs = 1500
/** What is not answered after so long is being worked on. */
const slowAfterMs = 300
/** The half of a request has to have arrived. */
const arriveMs = 100
/** So long after SIGTERM a service has closed what listens. */
const newcomerAfterMs = 400
/** Beyond the time to stop, for our own looks. */
const graceMs = 500

/** What a look needs. */
export interface LookGround {
  readonly expected: Expected
  readonly alone: Alone
  /** Absolute. */
  readonly directory: string
  readonly port: number | null
  readonly otherPort: number | null
  readonly signal: AbortSignal
  readonly says: (doing: string) => void
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> => systemClock.sleep(ms, signal)

/** Where it really listens: on its port, or else wherever it does. */
function realPort(running: Running, port: number | null): number | null {
  const listening = running.listening()
  if (listening === null || listening.some((each) => each.port === port)) return port
  return listening[0]?.port ?? port
}

function sayIll(answered: Answered): string {
  if ('failed' in answered) return answered.failed
  return answered.status >= 200 && answered.status < 400 ? '' : `it answered ${answered.status}`
}

/** Why it is not well, asked as Holdfast asks; empty: it is. */
async function illness(port: number, { health }: Expected): Promise<string> {
  if (health !== null) return sayIll(await ask(port, health, askTimeoutMs))
  return (await accepts(port)) ? '' : 'it accepts no connections'
}

async function untilWell(
  running: Running,
  port: number | null,
  { expected, signal }: LookGround,
): Promise<Pick<Start, 'wellAfterMs' | 'lastIll'>> {
  const beganMs = systemClock.monotonicMs()
  let lastIll = 'it listens nowhere'
  for (;;) {
    const passedMs = systemClock.monotonicMs() - beganMs
    if (running.ended() !== null) return { wellAfterMs: null, lastIll }
    if (!expected.listens && passedMs >= workerMs) return { wellAfterMs: passedMs, lastIll: '' }
    if (expected.listens) {
      lastIll = await illness(realPort(running, port) ?? 0, expected)
      if (lastIll === '') return { wellAfterMs: systemClock.monotonicMs() - beganMs, lastIll }
    }
    if (passedMs > expected.startTimeoutMs && expected.listens) return { wellAfterMs: null, lastIll }
    await sleep(pollMs, signal)
  }
}

async function lookForWavering(running: Running, port: number, ground: LookGround): Promise<string | null> {
  const untilMs = systemClock.monotonicMs() + waverMs
  while (systemClock.monotonicMs() < untilMs && running.ended() === null) {
    const ill = await illness(port, ground.expected)
    if (ill !== '') return ill
    await sleep(pollMs, ground.signal)
  }
  return null
}

interface Started {
  readonly start: Start
  readonly running: Running
}

async function startOnce(port: number | null, ground: LookGround): Promise<Started> {
  const running = await ground.alone.start(port)
  const well = await untilWell(running, port, ground)
  const start = { port, ...well, wavered: null, ended: running.ended(), listening: running.listening() }
  const asked = portToAsk(running, start, ground)
  const wavered = asked === null ? null : await lookForWavering(running, asked, ground)
  return { running, start: { ...start, wavered, ended: running.ended() } }
}

/** Where a service that is well can be asked; null: nowhere. */
function portToAsk(running: Running, { port, wellAfterMs }: Start, { expected }: LookGround): number | null {
  return expected.listens && wellAfterMs !== null ? realPort(running, port) : null
}

async function untilEnded(running: Running, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const untilMs = systemClock.monotonicMs() + timeoutMs
  while (running.ended() === null && systemClock.monotonicMs() < untilMs) await sleep(pollMs, signal)
}

/** Requests that are in flight when a service is asked to end. */
interface InFlight {
  /** Sends what was held back and says what became of each. */
  finish(): Promise<Pick<Stop, 'held' | 'slow'>>
  closeIdle(): void
}

/** A request that is being worked on; null: it was answered, or refused, before anything was asked to end. */
async function beginSlow(
  port: number,
  path: string,
  timeoutMs: number,
): Promise<{ readonly answered: Promise<Answered> } | null> {
  const answered = ask(port, path, timeoutMs)
  const early = await Promise.race([answered, systemClock.sleep(slowAfterMs).then(() => null)])
  return early === null ? { answered } : null
}

async function putInFlight(port: number, { expected, signal }: LookGround): Promise<InFlight> {
  const { health, slowPath, stopTimeoutMs } = expected
  const path = health ?? '/'
  const closeIdle = await idleConnection(port, path, stopTimeoutMs + graceMs)
  const slow = slowPath === null ? null : await beginSlow(port, slowPath, stopTimeoutMs + graceMs)
  const held = await holdRequest(port, path)
  await sleep(arriveMs, signal)
  return {
    closeIdle,
    finish: async () => {
      const [heldAnswer, slowAnswer] = await Promise.all([held?.finish(stopTimeoutMs), slow?.answered])
      return { held: heldAnswer ?? null, slow: slowAnswer ?? null }
    },
  }
}

const nothingInFlight: InFlight = {
  finish: () => Promise.resolve({ held: null, slow: null }),
  closeIdle: () => undefined,
}

/** Asks a service to end while requests are in flight, and sees what becomes of them. */
async function stopInFlight({ running, start }: Started, ground: LookGround): Promise<Stop> {
  const { expected, signal } = ground
  const { stopTimeoutMs } = expected
  const port = portToAsk(running, start, ground)
  const inFlight = port === null ? nothingInFlight : await putInFlight(port, ground)
  const askedAtMs = systemClock.monotonicMs()
  const passedMs = (): number => systemClock.monotonicMs() - askedAtMs
  signalProcess(running.pid, 'SIGTERM')
  await untilEnded(running, newcomerAfterMs, signal)
  const newcomer = port === null ? null : await ask(port, expected.health ?? '/', 1000)
  const answers = await inFlight.finish()
  await untilEnded(running, stopTimeoutMs - passedMs(), signal)
  const [tookMs, ended] = [passedMs(), running.ended()]
  inFlight.closeIdle()
  const left = ended === null ? 0 : running.members()
  await running.kill()
  return { ...answers, newcomer, ended, tookMs, left }
}

/** Asks to end, and no more: for the starts that prove something else. */
async function stopPlainly({ running }: Started, { expected, signal }: LookGround): Promise<void> {
  signalProcess(running.pid, 'SIGTERM')
  await untilEnded(running, expected.stopTimeoutMs, signal)
  await running.kill()
}

async function startAndStop(port: number | null, ground: LookGround): Promise<Start> {
  const started = await startOnce(port, ground)
  await stopPlainly(started, ground)
  return started.start
}

async function askNonsense({ running, start }: Started, ground: LookGround): Promise<Answered | null> {
  const port = portToAsk(running, start, ground)
  if (port === null || ground.expected.health === null) return null
  return ask(port, `/holdfast-check-${running.pid}`, askTimeoutMs)
}

/** The starts after the first, that of one which was well. */
async function startAgain(
  { start }: Started,
  ground: LookGround,
): Promise<Pick<Observed, 'again' | 'other'>> {
  const { port, otherPort, says } = ground
  if (start.wellAfterMs === null) return { again: null, other: null }
  says('starting it again')
  const again = await startAndStop(port, ground)
  if (otherPort === null) return { again, other: null }
  says('starting it on another port')
  return { again, other: await startAndStop(otherPort, ground) }
}

/** Starts a service up to three times and looks at all that can be seen from outside. */
export async function look(ground: LookGround): Promise<Observed> {
  const { expected, alone, directory, port, says } = ground
  const before = await logsBelow(directory)
  says('starting it alone')
  const started = await startOnce(port, ground)
  const open = started.running.openFiles()
  const nonsense = await askNonsense(started, ground)
  says('asking it to end')
  const stop = await stopInFlight(started, ground)
  const bytes = alone.written()
  const later = await startAgain(started, ground)
  const written = writtenBetween(before, await logsBelow(directory))
  const logs = [...new Set([...written, ...(open ?? []).filter(isLog)])]
  const output = { bytes, logs, open: open?.filter((name) => !isLog(name)) ?? null }
  return { expected, first: started.start, nonsense, output, stop, ...later }
}
