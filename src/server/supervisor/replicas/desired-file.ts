import {
  desiredReplicas,
  packContents,
  unpackContents,
  type DesiredReplicas,
} from '../../../contracts/supervisor.ts'
import { readFromHouse } from '../../../contracts/socket-door.ts'
import { HoldfastError, systemCode } from '../../../kernel/std/index.ts'
import { parseJson, readIfThere, replaceFile } from '../../files/index.ts'

/** What was last accepted. */
export interface StoredDesire {
  readonly desired: DesiredReplicas
  /** Assigned ports by replica id. */
  readonly ports: Readonly<Record<string, number>>
}

/** What the file held: a wish, nothing yet, or something unreadable. */
export type ReadDesire =
  | ({ readonly kind: 'read' } & StoredDesire)
  | { readonly kind: 'none' }
  | { readonly kind: 'broken'; readonly why: string }

/** Reads the file; never throws. */
export function readDesire(path: string): ReadDesire {
  let text: string | undefined
  try {
    text = readIfThere(path)
  } catch (error) {
    return { kind: 'broken', why: (error as Error).message }
  }
  if (text === undefined) return { kind: 'none' }
  const json = parseJson(text)
  if (typeof json !== 'object' || json === null) return { kind: 'broken', why: 'it is not JSON' }
  const stored = json as { replicas?: unknown; keep?: unknown; contents?: unknown; ports?: unknown }
  const parsed = readFromHouse(desiredReplicas, {
    replicas: stored.replicas,
    keep: stored.keep,
    ...(stored.contents === undefined ? {} : { contents: stored.contents }),
  })
  if (!parsed.success) return { kind: 'broken', why: parsed.error.issues[0]?.message ?? 'it does not fit' }
  return { kind: 'read', desired: unpackContents(parsed.data), ports: readPorts(stored.ports) }
}

function readPorts(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>)
  return Object.fromEntries(
    entries.filter((entry): entry is [string, number] => Number.isInteger(entry[1]) && Number(entry[1]) > 0),
  )
}

/** Writes the file so that it is there after a power cut. Errors: `supervisor.not-saved`. */
export function writeDesire(path: string, stored: StoredDesire): void {
  const text = JSON.stringify({ version: 1, ...packContents(stored.desired), ports: stored.ports })
  try {
    replaceFile(path, text, true)
  } catch (cause) {
    throw new HoldfastError({
      code: 'supervisor.not-saved',
      kind: 'operational',
      message: `What shall run could not be saved: ${(cause as Error).message}`,
      hint:
        systemCode(cause) === 'ENOSPC'
          ? 'The disk is full: make room and try again. What runs goes on running.'
          : 'What runs goes on running; look at the rights of the data directory.',
      cause,
    })
  }
}
