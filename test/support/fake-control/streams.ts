import type { Operations } from '../../../src/contracts/index.ts'
import type { Clock } from '../../../src/kernel/std/index.ts'
import { passes } from './answers.ts'
import type { Fact, World } from './world.ts'

/** Follows the timeline from a number on. */
export async function* followFacts(
  input: Operations['timeline.follow']['input'],
  world: World,
  signal: AbortSignal,
): AsyncGenerator<Fact> {
  let next = input.after ?? world.facts.length
  while (!signal.aborted) {
    const ready = world.facts.slice(next)
    next += ready.length
    yield* ready.filter((fact) => passes(fact, input))
    await quietly(world.clock.sleep(50, signal))
  }
}

/** Follows a job to its end. */
export async function* followJob(
  { job }: Operations['jobs.follow']['input'],
  world: World,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  for (;;) {
    const known = world.jobs.find(({ id }) => id === job)
    yield known
    if (known === undefined || known.endedAt !== null || signal.aborted) return
    await quietly(world.clock.sleep(100, signal))
  }
}

const samples = [
  'GET /scores 200 3 ms',
  'POST /chat 201 6 ms player=4417',
  'GET /scores?game=reef 200 2 ms',
  'POST /scores 201 8 ms player=88 score=41200',
  'cache: 412 of 430 hits',
  'POST /login 401 71 ms',
  'error: the mail server answered 451, trying again in 30 s',
  'GET /assets/kelp.svg 200 1 ms',
]

const lineOf = (number: number, at: number): string =>
  `${new Date(at).toISOString().slice(11, 23)} #${number} ${samples[(number * 7) % samples.length] ?? ''}`

/** The past of a log and, when asked, what is written from now on: five lines a second. */
export async function* followLog(
  input: Operations['environment.logs']['input'],
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Operations['environment.logs']['output']> {
  const periodMs = 200
  const newest = (): number => Math.floor(clock.now() / periodMs)
  const say = (number: number): { replica: string; line: string } => {
    const slot = input.replica ?? (number % 2) + 1
    return { replica: `${input.service}/${slot}`, line: lineOf(number % 100_000, number * periodMs) }
  }
  let number = newest() - (input.lines ?? 100)
  while (!signal.aborted) {
    for (; number < newest(); number++) yield say(number)
    if (input.follow !== true) return
    await quietly(clock.sleep(periodMs, signal))
  }
}

const quietly = (sleep: Promise<void>): Promise<void> => sleep.catch(() => undefined)
