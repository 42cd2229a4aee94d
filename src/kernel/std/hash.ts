import { hash } from 'node:crypto'
import { canonicalJson, type Json } from './json.ts'

/** 16 hex digits (64 bits of SHA-256) over canonical JSON: equal values have equal hashes, whatever the order of their keys. */
export function contentHash(value: Json): string {
  return hash('sha256', canonicalJson(value), 'hex').slice(0, 16)
}
