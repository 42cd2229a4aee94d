import { HoldfastError, type Clock, type JsonObject, type Random } from '../std/index.ts'
import { hashPayload, payloadText, type Entry } from './chain.ts'
import type { Fact, NewFact } from './port.ts'
import { severities } from './query.ts'

/** Longest subject, actor or correlation, in UTF-16 units. */
export const maxWordLength = 1024

/** Longest payload: its canonical JSON, in UTF-16 units. */
export const maxPayloadLength = 1_048_576

/** Hex digits of a salt: 16 bytes. */
const saltDigits = 32

/** Hex digits that an id needs beside its time; one of them only for its two bits of variant. */
const idDigits = 19

const portionBytes = 4096
const kindForm = /^[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64}){1,4}$/

/** A fact whose place in the chain is filled in once it is known; nobody has seen it before. */
export interface Unplaced extends Fact {
  sequence: number
  hash: string
}

/** A fact that has all but its place in the chain. */
export interface Draft {
  /** With the payload as a later read will return it. */
  readonly fact: Unplaced
  readonly salt: string
  readonly text: string
  readonly payloadHash: string
}

/** Turns a new fact into a draft: checks it, gives it an id, a time that never decreases, and a salt. */
export type Stamp = (fact: NewFact) => Draft

/**
 * Creates a stamp. `lastAt` is the time of the newest fact that is already there.
 * The stamp throws `timeline.invalid-fact` and `timeline.fact-too-large`.
 */
export function createStamp(clock: Clock, random: Random, lastAt: number): Stamp {
  const digits = hexDigits(random)
  let previousAt = lastAt
  return (fact) => {
    checkFact(fact)
    const text = checkedText(fact)
    const at = Math.max(Math.floor(clock.now()), previousAt)
    previousAt = at
    const salt = digits(saltDigits)
    const { kind, severity, subject, actor, correlation } = fact
    const id = idAt(at, digits(idDigits))
    const data = JSON.parse(text) as JsonObject
    return {
      fact: { sequence: 0, id, at, kind, severity, subject, actor, correlation, data, hash: '' },
      salt,
      text,
      payloadHash: hashPayload(salt, text),
    }
  }
}

/** Gives a fact its place. */
export function placed(fact: Unplaced, sequence: number, hash: string): Fact {
  fact.sequence = sequence
  fact.hash = hash
  return fact
}

/** The fact that an entry holds. */
export function factOf(entry: Entry): Fact {
  const { sequence, id, at, kind, severity, subject, actor, correlation, text, hash } = entry
  const data = text === null ? null : (JSON.parse(text) as JsonObject)
  return { sequence, id, at, kind, severity, subject, actor, correlation, data, hash }
}

/** A UUIDv7 (RFC 9562, section 5.7), put together from text: `uuidv7` of std, at a fifth of its cost. */
function idAt(at: number, digits: string): string {
  const time = at.toString(16).padStart(12, '0')
  const variant = '89ab'[Number.parseInt(digits.slice(3, 4), 16) % 4]
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-${variant}${digits.slice(4, 7)}-${digits.slice(7)}`
}

/** Draws random hex digits in large portions: many small draws from the system cost more than all the hashing. */
function hexDigits(random: Random): (length: number) => string {
  let portion = ''
  let used = 0
  return (length) => {
    if (used + length > portion.length) {
      portion = Buffer.from(random.bytes(portionBytes)).toString('hex')
      used = 0
    }
    used += length
    return portion.slice(used - length, used)
  }
}

function checkFact(fact: NewFact): void {
  if (!kindForm.test(fact.kind)) {
    throw invalidFact(fact, `"${fact.kind}" is not of the form <room>.<past-tense>`, 'kind')
  }
  if (!severities.includes(fact.severity)) throw invalidFact(fact, 'its severity is unknown', 'severity')
  for (const field of ['subject', 'actor', 'correlation'] as const) {
    const word = fact[field]
    if (word === null && field !== 'actor') continue
    if (typeof word !== 'string' || !isWord(word)) {
      throw invalidFact(
        fact,
        `its ${field} is not a text of 1 to ${maxWordLength} printable characters`,
        field,
      )
    }
  }
}

/** Half a surrogate pair would not come back from the store as it went in, and control characters separate what is sent there. */
function isWord(word: string): boolean {
  return word.length > 0 && word.length <= maxWordLength && word.isWellFormed() && !/\p{Cc}/u.test(word)
}

function checkedText(fact: NewFact): string {
  if (typeof fact.data !== 'object' || fact.data === null || Array.isArray(fact.data)) {
    throw invalidFact(fact, 'its data is not an object', 'data')
  }
  const text = payloadText(fact.data)
  if (text.length > maxPayloadLength) {
    throw new HoldfastError({
      code: 'timeline.fact-too-large',
      kind: 'bug',
      message: `the data of a fact ${fact.kind} has ${text.length} characters, more than ${maxPayloadLength}`,
      hint: 'keep bulk in the store of the room and record where it is',
    })
  }
  return text
}

function invalidFact(fact: NewFact, why: string, path: string): HoldfastError {
  return new HoldfastError({
    code: 'timeline.invalid-fact',
    kind: 'bug',
    message: `a fact ${fact.kind} cannot be recorded: ${why}`,
    path,
  })
}
