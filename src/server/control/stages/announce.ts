import type { Log } from '../../../kernel/capability/index.ts'
import { plainError, type Clock, type Danger, type JsonObject } from '../../../kernel/std/index.ts'

/** A change that is about to be made. */
export interface Announcement {
  readonly operation: string
  readonly actor: string
  readonly danger: Exclude<Danger, 'none'>
  /** Without sensitive fields, bounded. */
  readonly input: JsonObject
  readonly correlation: string
}

/** Says to people what is about to happen; chat fills it. */
export interface Announcer {
  announce(announcement: Announcement): Promise<void>
}

/** Says nothing. */
export const silentAnnouncer: Announcer = { announce: () => Promise.resolve() }

const patienceMs = 3000

/** Announces; a channel that fails or hangs longer than 3 s is logged and never keeps anybody from acting. */
export async function announce(
  ground: { readonly announcer: Announcer; readonly clock: Clock; readonly log: Log },
  announcement: Announcement,
): Promise<void> {
  if (ground.announcer === silentAnnouncer) return
  const patience = new AbortController()
  const told = ground.announcer.announce(announcement).catch((error: unknown) => {
    const { message } = plainError(error)
    ground.log.warn({ operation: announcement.operation, error: message }, 'could not announce')
  })
  const tired = ground.clock.sleep(patienceMs, patience.signal).catch(() => undefined)
  await Promise.race([told, tired])
  patience.abort(new Error('announced'))
}
