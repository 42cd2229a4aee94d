import { hash } from 'node:crypto'
import { canonicalJson } from '../std/index.ts'
import type { Head, NewFact } from './port.ts'

/**
 * What the first link of an unshortened chain points back to: SHA-256 of the ASCII text
 * `holdfast.timeline/1`, lower-case hex.
 */
export const genesisHash = hash('sha256', 'holdfast.timeline/1', 'hex')

/** The end of a chain that has no links yet. */
export const genesis: Head = { sequence: 0, hash: genesisHash, at: 0 }

/** The part of a fact that its link covers openly; the payload is covered by its salted hash only. */
export interface Header extends Omit<NewFact, 'data'> {
  readonly sequence: number
  /** UUIDv7. */
  readonly id: string
  /** Milliseconds since the epoch, an integer. */
  readonly at: number
}

/** A fact as it is stored and exported: with everything that the chain needs. Hashes are lower-case hex. */
export interface Entry extends Header {
  /** 16 random bytes in lower-case hex; null when the payload was erased. */
  readonly salt: string | null
  /** The payload as canonical JSON (RFC 8785); null when it was erased. */
  readonly text: string | null
  readonly payloadHash: string
  readonly hash: string
}

/** A link that does not hold. */
export interface Broken {
  readonly sequence: number
  readonly why: string
}

/**
 * Hash of a payload: SHA-256 over the UTF-8 text `<salt in hex> "\n" <payload as canonical JSON>`, as lower-case
 * hex. The salt keeps a short payload from being guessed from its hash once it is erased.
 */
export function hashPayload(salt: string, text: string): string {
  return hash('sha256', `${salt}\n${text}`, 'hex')
}

/** The header as canonical JSON (RFC 8785): its eight members sorted by name. */
export function headerText(header: Header): string {
  const { actor, at, correlation, id, kind, sequence, severity, subject } = header
  return JSON.stringify({ actor, at, correlation, id, kind, sequence, severity, subject })
}

/**
 * Hash of a link: SHA-256 over the UTF-8 text `<previous link's hash> "\n" <header as canonical JSON> "\n"
 * <payload hash>`, as lower-case hex.
 */
export function hashLink(previousHash: string, header: Header, payloadHash: string): string {
  return hash('sha256', `${previousHash}\n${headerText(header)}\n${payloadHash}`, 'hex')
}

/** Checks one entry against the end of the chain before it. Null: it holds. */
export function checkLink(previous: Head, entry: Entry): Broken | null {
  const sequence = previous.sequence + 1
  if (entry.sequence !== sequence) return { sequence, why: `fact ${sequence} is missing` }
  const why = payloadFault(entry) ?? linkFault(previous, entry)
  return why === null ? null : { sequence, why }
}

function payloadFault({ salt, text, payloadHash }: Entry): string | null {
  if (salt === null && text === null) return null
  if (salt === null || text === null) return 'its payload is only half there'
  return hashPayload(salt, text) === payloadHash ? null : 'its payload does not match its hash'
}

function linkFault(previous: Head, entry: Entry): string | null {
  if (entry.at < previous.at) return 'its time lies before the time of the fact before it'
  if (hashLink(previous.hash, entry, entry.payloadHash) === entry.hash) return null
  return 'its header, its hash or the hash before it was changed'
}

/** Payload as it is hashed and stored. */
export function payloadText(data: NewFact['data']): string {
  return canonicalJson(data)
}
