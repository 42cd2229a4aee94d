import type { Client } from '../../../client/index.ts'
import { plainError, sayDuration, systemClock } from '../../../kernel/std/index.ts'
import type { Wish } from './changes.ts'

const retryMs = 2000
const backMs = 15_000

/** What the actor stands on. */
export interface ActorGround {
  readonly client: Client
  readonly say: (line: string) => void
  /** The environment file was taken over. */
  readonly onReloaded: () => Promise<void>
  readonly signal: AbortSignal
}

/** Does what changes ask for, one after the other, through control's own operations. */
export interface Actor {
  wish(wish: Wish): void
  /** Since the last restart began or ended, milliseconds. */
  calmForMs(): number
  /** Resolves when the signal has aborted. */
  readonly ended: Promise<void>
}

function sayError(what: string, error: unknown): string {
  const { message, hint } = plainError(error)
  return `${what}: ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`
}

const isRefused = (error: unknown): boolean => (error as { readonly code?: string }).code === 'limit.refused'

/** Asks again while a limit says: not yet. */
async function patiently<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!isRefused(error)) throw error
      await systemClock.sleep(retryMs, signal)
    }
  }
}

async function untilBack(client: Client, signal: AbortSignal): Promise<void> {
  const untilMs = systemClock.monotonicMs() + backMs
  await systemClock.sleep(200, signal)
  while (systemClock.monotonicMs() < untilMs) {
    const status = await client.call('environment.status', {}, signal).catch(() => null)
    if (status !== null) return
    await systemClock.sleep(100, signal)
  }
}

async function reload({ client, say, onReloaded, signal }: ActorGround): Promise<void> {
  try {
    const { changed, says } = await patiently(() => client.call('environment.reload', {}, signal), signal)
    if (!changed) return
    await untilBack(client, signal)
    await onReloaded()
    say(`the environment file was taken over: ${says}`)
  } catch (error) {
    if (!signal.aborted)
      say(sayError('the environment file is not taken over, the one before goes on', error))
  }
}

/** Restarts a service; a newer change of it ends the wait, for what is being waited for is old. */
async function restart(
  service: string,
  { client, say, signal }: ActorGround,
  newer: AbortSignal,
): Promise<void> {
  const beganMs = systemClock.monotonicMs()
  try {
    const { id } = await patiently(() => client.request('environment.restart', { service }), signal)
    const either = AbortSignal.any([signal, newer])
    newer.addEventListener(
      'abort',
      () => void client.call('jobs.cancel', { job: id }).catch(() => undefined),
      { once: true },
    )
    for await (const { state, error } of client.follow(id, either)) {
      if (state === 'done')
        say(
          `${service} was restarted and is healthy after ${sayDuration(systemClock.monotonicMs() - beganMs)}`,
        )
      if (state === 'failed' && !newer.aborted)
        say(`${service} was restarted and is not well: ${error?.message ?? ''}`)
    }
  } catch (error) {
    if (!signal.aborted && !newer.aborted) say(sayError(`${service} was not restarted`, error))
  }
}

/** Creates an actor. */
export function createActor(ground: ActorGround): Actor {
  const { signal, say } = ground
  const waiting = { reload: false, restart: new Set<string>() }
  const bell: { ring: () => void } = { ring: () => undefined }
  let newer = new AbortController()
  let movedAtMs = Number.NEGATIVE_INFINITY
  const act = async (): Promise<void> => {
    newer = new AbortController()
    const { reload: reloads } = waiting
    const services = [...waiting.restart]
    waiting.reload = false
    waiting.restart.clear()
    if (reloads) await reload(ground)
    if (services.length === 0) return
    movedAtMs = systemClock.monotonicMs()
    await Promise.all(services.map((service) => restart(service, ground, newer.signal)))
    movedAtMs = systemClock.monotonicMs()
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      if (waiting.reload || waiting.restart.size > 0) await act()
      else await new Promise<void>((rung) => (bell.ring = rung))
    }
  }
  signal.addEventListener('abort', () => bell.ring(), { once: true })
  return {
    wish: ({ reload: reloads, restart: services }) => {
      waiting.reload ||= reloads
      for (const service of services) waiting.restart.add(service)
      if (services.length > 0) {
        say(`${services.join(' and ')} ${services.length === 1 ? 'has' : 'have'} changed`)
        newer.abort()
      }
      bell.ring()
    },
    calmForMs: () => systemClock.monotonicMs() - movedAtMs,
    ended: run(),
  }
}
