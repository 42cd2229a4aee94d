import { asHoldfastError, HoldfastError, type JsonObject } from '../std/index.ts'
import { judge, type Walked } from './anchor.ts'
import { checkLink, genesis, payloadText, type Entry } from './chain.ts'
import type { Checkpoint, Head, Verification, VerifyOptions } from './port.ts'
import { severities } from './query.ts'

/** Names the format and its version; the first member of the first line of an export. */
export const exportFormat = 'holdfast.timeline/1'

/** Longest line of an export that is read, in UTF-16 units. */
export const maxLineLength = 8_388_608

/** A checkpoint as it is exported: only along with a shortened chain, from which a fold cannot be computed afresh. */
export interface NamedCheckpoint extends Checkpoint {
  readonly name: string
}

/** What one line of an export holds. */
export type Line =
  | { readonly is: 'opening'; readonly base: Head; readonly head: Head }
  | { readonly is: 'entry'; readonly entry: Entry }
  | { readonly is: 'checkpoint'; readonly checkpoint: NamedCheckpoint }

/** The first line: where the chain begins, and the end that an import must arrive at. */
export function openingLine(base: Head, head: Head): string {
  return JSON.stringify({ format: exportFormat, base, head })
}

/** The line of a fact. The payload goes in as the canonical JSON that it is hashed as. */
export function entryLine(entry: Entry): string {
  const { sequence, id, at, kind, severity, subject, actor, correlation, salt, payloadHash, hash } = entry
  const known = { sequence, id, at, kind, severity, subject, actor, correlation, salt, payloadHash, hash }
  return `${JSON.stringify(known).slice(0, -1)},"data":${entry.text ?? 'null'}}`
}

/** The line of a checkpoint. */
export function checkpointLine(checkpoint: NamedCheckpoint): string {
  return JSON.stringify({ checkpoint })
}

/** Reads one line. Errors: `timeline.import-refused`. */
export function parseLine(line: string, number: number): Line {
  if (line.length > maxLineLength) throw refused(`line ${number} is longer than ${maxLineLength} characters`)
  const value = parsedObject(line, number)
  if (value['format'] !== undefined) return opening(value)
  if (value['checkpoint'] !== undefined) return { is: 'checkpoint', checkpoint: checkpoint(value, number) }
  if (!isEntry(value)) throw refused(`line ${number} is not a fact`)
  return { is: 'entry', entry: entryFrom(value) }
}

function parsedObject(line: string, number: number): JsonObject {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch (cause) {
    throw refused(`line ${number} is not JSON: ${asHoldfastError(cause).message}`)
  }
  throw refused(`line ${number} is not a JSON object`)
}

function opening({ format, base, head }: JsonObject): Line {
  if (format !== exportFormat) throw refused(`the format is ${JSON.stringify(format)}, not "${exportFormat}"`)
  if (!isHead(base) || !isHead(head))
    throw refused('the first line does not say where the chain begins and ends')
  return { is: 'opening', base, head }
}

function checkpoint({ checkpoint: value }: JsonObject, number: number): NamedCheckpoint {
  const { name, sequence, state } = value as JsonObject
  const isState = typeof state === 'object' && state !== null && !Array.isArray(state)
  if (typeof name !== 'string' || !isSequence(sequence) || !isState) {
    throw refused(`line ${number} is not a checkpoint`)
  }
  return { name, sequence, state: state as JsonObject }
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHead(value: unknown): value is Head {
  const { sequence, hash, at } = (value ?? {}) as Record<string, unknown>
  return isSequence(sequence) && isSequence(at) && isHex(hash, 64)
}

function isHex(value: unknown, length: number): boolean {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value)
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
const isHash = (value: unknown): boolean => isHex(value, 64)

/** What each member of a fact's line must be. */
const entryForm: Readonly<Record<string, (value: unknown) => boolean>> = {
  sequence: isSequence,
  at: isSequence,
  id: isText,
  kind: isText,
  actor: isText,
  subject: isTextOrNull,
  correlation: isTextOrNull,
  severity: (value) => severities.some((severity) => severity === value),
  payloadHash: isHash,
  hash: isHash,
  salt: (value) => value === null || isHex(value, 32),
  data: (value) => typeof value === 'object' && !Array.isArray(value),
}

function isEntry(value: JsonObject): boolean {
  return Object.entries(entryForm).every(([name, fits]) => fits(value[name]))
}

function entryFrom(value: JsonObject): Entry {
  const { data, ...rest } = value as JsonObject & { readonly data: JsonObject | null }
  const { sequence, id, at, kind, severity, subject, actor, correlation, salt, payloadHash, hash } =
    rest as unknown as Entry
  const text = data === null ? null : payloadText(data)
  return { sequence, id, at, kind, severity, subject, actor, correlation, salt, text, payloadHash, hash }
}

/** Walks along the lines of an export, handing on what holds. */
export interface LineWalk {
  /** Reads the next line. Errors: `timeline.import-refused`, when it is unreadable; a broken link is kept in `walked`. */
  take(line: string): Line | null
  readonly walked: Walked
  /** The head that the first line promises; null before it was read. */
  readonly promised: Head | null
}

/** Starts a walk along the lines of an export. */
export function walkLines(): LineWalk {
  let walked: Walked = { checked: 0, base: genesis, head: genesis, broken: null }
  let promised: Head | null = null
  let number = 0

  const takeOpening = (line: Line): void => {
    if (line.is !== 'opening') throw refused('the first line does not name the format')
    walked = { ...walked, base: line.base, head: line.base }
    promised = line.head
  }
  const takeEntry = (entry: Entry): void => {
    const broken = walked.broken ?? checkLink(walked.head, entry)
    if (broken !== null) walked = { ...walked, broken }
    else walked = { ...walked, checked: walked.checked + 1, head: headOf(entry) }
  }
  return {
    take: (text) => {
      number++
      if (text.trim() === '') return null
      const line = parseLine(text, number)
      if (promised === null) takeOpening(line)
      else if (line.is === 'opening') throw refused(`line ${number} begins a second export`)
      else if (line.is === 'entry') takeEntry(line.entry)
      return line
    },
    get walked() {
      return walked
    },
    get promised() {
      return promised
    },
  }
}

/** The head that the chain has with this entry or fact as its last: no more of it, so that nothing else outlives an erasure. */
export function headOf({ sequence, hash, at }: Head): Head {
  return { sequence, hash, at }
}

/**
 * Verifies an export without a timeline, as an auditor does who has only the file: that every link holds and that the
 * chain arrives at the head that its first line promises. Errors: `timeline.import-refused` (a line is unreadable).
 */
export async function verifyLines(
  lines: AsyncIterable<string>,
  options: VerifyOptions = {},
): Promise<Verification> {
  const walk = walkLines()
  let hashAtAnchor: string | null = null
  for await (const text of lines) {
    const line = walk.take(text)
    if (line?.is !== 'entry') continue
    if (line.entry.sequence === options.anchor?.sequence) hashAtAnchor = line.entry.hash
    if (walk.promised !== null) options.onProgress?.(shareDone(walk.walked, walk.promised))
  }
  return judge(
    { ...walk.walked, broken: walk.walked.broken ?? truncation(walk) },
    options.anchor,
    hashAtAnchor,
  )
}

/** How far a walk has come, 0 to 1. */
export function shareDone({ base, head }: Walked, end: Head): number {
  const total = end.sequence - base.sequence
  return total <= 0 ? 1 : Math.min(1, (head.sequence - base.sequence) / total)
}

/** What is wrong when an export ends elsewhere than its first line promises. */
export function truncation({ walked, promised }: LineWalk): Walked['broken'] {
  if (promised === null) return { sequence: 0, why: 'the export is empty' }
  if (walked.head.hash === promised.hash && walked.head.sequence === promised.sequence) return null
  const sequence = Math.min(walked.head.sequence + 1, promised.sequence)
  return {
    sequence,
    why: `the export does not end at fact ${promised.sequence}, which its first line promises`,
  }
}

/** An import that is refused. */
export function refused(why: string): HoldfastError {
  return new HoldfastError({
    code: 'timeline.import-refused',
    kind: 'user',
    message: `the import is refused: ${why}`,
    hint: 'nothing was imported; export again from the source, or from an older backup of it',
  })
}
